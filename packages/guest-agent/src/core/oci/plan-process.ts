/** A process of the OCI specification as a plan. */

import type { POSIXRlimit, Process, StringUser, User } from "@husk/wire/kata";
import { type CapabilitySets, readCapabilitySets } from "../capability-sets.ts";
import type { ProcessPlan, TerminalPlan } from "../process-plan.ts";
import { isResourceLimit, type ResourceLimit } from "../resource-limits.ts";
import { type Credentials, lookUpCredentials, parsePasswd } from "../user-database.ts";
import type { IdMaps } from "../user-namespace.ts";
import { checked, checkPath, checkText, quote, specFault } from "./spec-fault.ts";

/** What a process's files may have at most, by default. */
const UMASK = 0o022;
/** Last number of a user or group; the one after it means "leave as it is" to the kernel. */
const MAX_ID = 0xfffffffe;
/** Most additional groups, as the guest's calls take them. */
const MAX_GROUPS = 256;
/** Largest side of a terminal, in characters. */
const MAX_SIDE = 0xffff;
/** Furthest that the kernel can be told to spare a process, or to prefer it, when memory is short. */
const MAX_OOM_SCORE = 1000n;

/** Where a process is started, and as whom, as far as its own part of the specification does not tell. */
export interface ProcessSetting {
  id: string;
  /** user by names or numbers, which wins over the numbers of the process */
  stringUser: StringUser | undefined;
  makeWorkdir: boolean;
  /** In the child: has the kernel filter its system calls. */
  installSeccomp: (() => void) | undefined;
  /** who the container's users are in the guest, when it has a user namespace */
  ids: IdMaps | undefined;
  /** In the child, right before it becomes its program. */
  beforeProgram?: () => void;
}

function planTerminal({ Terminal, ConsoleSize }: Process): TerminalPlan | undefined {
  if (!Terminal) return undefined;
  const { Height: rows = 0, Width: columns = 0 } = ConsoleSize ?? {};
  if (Math.max(rows, columns) > MAX_SIDE)
    throw specFault(`a console of ${rows} × ${columns} characters is too large`);
  return { rows, columns, ownStderr: false };
}

function planLimits(limits: readonly POSIXRlimit[]): ResourceLimit[] {
  const types = new Set<string>();
  // All bits set, the kernel's "no limit", becomes -1.
  const value = (limit: bigint) => Number(BigInt.asIntN(64, limit));
  return limits.map(({ Type: type, Soft, Hard }) => {
    if (!isResourceLimit(type)) throw specFault(`unknown resource limit ${quote(type)}`);
    if (types.has(type)) throw specFault(`resource limit ${type} is given twice`);
    if (Soft > Hard) throw specFault(`resource limit ${type}: ${Soft} is above its ceiling ${Hard}`);
    types.add(type);
    return { type, soft: value(Soft), hard: value(Hard) };
  });
}

/** A process that names no capabilities has none. */
function planCapabilities({ Capabilities }: Process): CapabilitySets {
  return checked("process.capabilities", () =>
    readCapabilitySets({
      bounding: Capabilities?.Bounding ?? [],
      effective: Capabilities?.Effective ?? [],
      permitted: Capabilities?.Permitted ?? [],
      inheritable: Capabilities?.Inheritable ?? [],
      ambient: Capabilities?.Ambient ?? [],
    }),
  );
}

function planVariables(env: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const text of env) {
    const at = text.indexOf("=");
    if (at < 1) throw specFault(`process.env: ${quote(text)} is not of the form NAME=value`);
    checkText("process.env", text);
    variables.set(text.slice(0, at), text.slice(at + 1));
  }
  return variables;
}

function checkIds(ids: readonly number[]): void {
  const odd = ids.find((id) => id > MAX_ID);
  if (odd !== undefined) throw specFault(`process.user: ${odd} is no number of a user or group`);
}

function credentialsByNumber(
  { UID: uid, GID: gid, AdditionalGids: groups }: User,
  passwd: string,
): Credentials {
  const entry = parsePasswd(passwd).find((user) => user.uid === uid);
  return { uid, gid, groups: [...new Set(groups)], ...(entry && { name: entry.name, home: entry.home }) };
}

/** How credentials are found: by names in the container's files, when names are given, else by numbers alone. */
function planCredentials(
  user: User | undefined,
  names: StringUser | undefined,
): ProcessPlan["findCredentials"] {
  const { UID = 0, GID = 0, AdditionalGids = [], Username = "" } = user ?? {};
  if (AdditionalGids.length > MAX_GROUPS) throw specFault(`more than ${MAX_GROUPS} additional groups`);
  checkIds([UID, GID, ...AdditionalGids]);
  const name = names?.uid || (names?.gid || names?.additionalGids.length ? "0" : Username);
  if (!name) {
    const numbers = { UID, GID, AdditionalGids, Username };
    return (passwd) => credentialsByNumber(numbers, passwd);
  }
  const wanted = {
    user: name,
    ...(names?.gid && { group: names.gid }),
    additionalGroups: [...(names?.additionalGids ?? []), ...AdditionalGids.map(String)],
  };
  return (passwd, readGroups) => lookUpCredentials(wanted, passwd, readGroups());
}

function planOomScore({ OOMScoreAdj: score }: Process): number {
  if (score > MAX_OOM_SCORE || score < -MAX_OOM_SCORE)
    throw specFault(`process.oomScoreAdj: ${score} is not between -1000 and 1000`);
  return Number(score);
}

/** Refuses what would have to be there for a process to be as safe as it was meant to be. */
function refuseLabels({ ApparmorProfile, SelinuxLabel }: Process): void {
  if (ApparmorProfile && ApparmorProfile !== "unconfined")
    throw specFault(`process.apparmorProfile ${quote(ApparmorProfile)}: the guest has no AppArmor`);
  if (SelinuxLabel) throw specFault(`process.selinuxLabel ${quote(SelinuxLabel)}: the guest has no SELinux`);
}

/** Plans a process. @throws TtrpcError INVALID_ARGUMENT for what it lacks, and what cannot be done */
export function planOciProcess(process: Process | undefined, setting: ProcessSetting): ProcessPlan {
  if (!process) throw specFault("the specification has no process");
  const { Args: args, Cwd: workdir, NoNewPrivileges: noNewPrivileges } = process;
  if (!args[0]) throw specFault("process.args has no program");
  for (const argument of args) checkText("process.args", argument);
  refuseLabels(process);
  const variables = planVariables(process.Env);
  const { id, makeWorkdir, installSeccomp, ids, beforeProgram } = setting;
  return {
    id,
    terminal: planTerminal(process),
    args,
    workdir: checkPath("process.cwd", workdir),
    makeWorkdir,
    findCredentials: planCredentials(process.User, setting.stringUser),
    makeEnvironment: ({ home = "/" }) =>
      variables.has("HOME") ? variables : new Map([...variables, ["HOME", home]]),
    capabilities: planCapabilities(process),
    limits: planLimits(process.Rlimits),
    noNewPrivileges,
    umask: UMASK,
    oomScore: planOomScore(process),
    ...(ids && { ids }),
    ...(installSeccomp && { installSeccomp }),
    ...(beforeProgram && { beforeProgram }),
    tellsOfProgram: true,
  };
}
