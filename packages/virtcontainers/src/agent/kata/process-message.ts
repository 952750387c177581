import type { Process, StringUser } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import type { Cmd, OciProcess } from "../../types/index.ts";
import type { ExecRequest } from "./calls.ts";
import { processOf } from "./default-spec.ts";

/** Number in the specification for "no limit": 2^64-1. */
const NO_LIMIT = 0xffff_ffff_ffff_ffffn;

/** A command that runs beside a container's first process. */
export function execRequest(cmd: Cmd, process?: OciProcess): ExecRequest {
  if (process) return { process: processMessage(process) };
  return { process: processMessage(processOf(cmd)), stringUser: stringUserOf(cmd) };
}

/** A process as the agent's protocol has it. */
export function processMessage(process: OciProcess): MessageInit<Process> {
  const { consoleSize, user, capabilities, rlimits = [] } = process;
  return {
    Terminal: process.terminal,
    ConsoleSize: consoleSize && { Height: consoleSize.height, Width: consoleSize.width },
    User: { UID: user.uid, GID: user.gid, AdditionalGids: user.additionalGids },
    Args: process.args,
    Env: process.env,
    Cwd: process.cwd,
    Capabilities: capabilities && {
      Bounding: capabilities.bounding,
      Effective: capabilities.effective,
      Inheritable: capabilities.inheritable,
      Permitted: capabilities.permitted,
      Ambient: capabilities.ambient,
    },
    Rlimits: rlimits.map(({ type, hard, soft }) => ({
      Type: type,
      Hard: limitOf(hard),
      Soft: limitOf(soft),
    })),
    NoNewPrivileges: process.noNewPrivileges,
    OOMScoreAdj: process.oomScoreAdj === undefined ? undefined : BigInt(process.oomScoreAdj),
  };
}

function limitOf(limit: number): bigint {
  return limit >= Number.MAX_SAFE_INTEGER ? NO_LIMIT : BigInt(limit);
}

/**
 * The user of a command by names, which are looked up in the container, as are the groups of a user; undefined: root, as
 * the process has it.
 */
export function stringUserOf(cmd: Cmd): MessageInit<StringUser> | undefined {
  const { user = "", primaryGroup = "", supplementaryGroups = [] } = cmd;
  if (!user && !primaryGroup && supplementaryGroups.length === 0) return undefined;
  return { uid: user || "0", gid: primaryGroup, additionalGids: supplementaryGroups };
}
