import type { ContainerRequest, ProcessRequest } from "@husk/wire/hyperstart";
import type { Cmd } from "../../types/index.ts";
import { type ContainerStart, INIT_PROCESS } from "../types.ts";

/** The streams of a process, by their sequence numbers. */
export interface StreamSeqs {
  readonly stdio: number;
  /** 0: none, the process has a terminal */
  readonly stderr: number;
}

/** A command as the agent's protocol has it. */
export function processRequest(id: string, cmd: Cmd, seqs: StreamSeqs): ProcessRequest {
  return {
    id,
    ...(cmd.user ? { user: cmd.user } : {}),
    ...(cmd.primaryGroup ? { group: cmd.primaryGroup } : {}),
    additionalGroups: cmd.supplementaryGroups ?? [],
    terminal: cmd.interactive === true,
    stdio: seqs.stdio,
    stderr: seqs.stderr,
    args: cmd.args,
    envs: (cmd.envs ?? []).map(({ var: env, value }) => ({ env, value })),
    workdir: cmd.workDir ?? "/",
    ...(cmd.noNewPrivileges ? { noNewPrivileges: true } : {}),
  };
}

/** The payload of NEWCONTAINER. */
export function containerRequest(
  { config, driveId, driveAddr, fstype }: ContainerStart,
  seqs: StreamSeqs,
): ContainerRequest {
  return {
    id: config.id,
    rootfs: "",
    image: driveId,
    ...(driveAddr === undefined ? {} : { addr: driveAddr }),
    fstype,
    process: processRequest(INIT_PROCESS, config.cmd, seqs),
    initialize: true,
    readOnly: config.readonlyRootfs === true,
  };
}
