/** What a process is to be, whichever door asked for it. Closures go with the fork, and are called in the child. */

import type { CapabilitySets } from "./capability-sets.ts";
import type { ResourceLimit } from "./resource-limits.ts";
import type { Credentials } from "./user-database.ts";
import type { IdMaps } from "./user-namespace.ts";

/** The terminal of a process. */
export interface TerminalPlan {
  /** initial size in characters; 0 for none */
  rows: number;
  columns: number;
  /** whether errors go to a pipe of their own */
  ownStderr: boolean;
}

/** See the head of the file. */
export interface ProcessPlan {
  id: string;
  /** undefined for three pipes */
  terminal: TerminalPlan | undefined;
  /** program and its arguments, at least one */
  args: readonly string[];
  workdir: string;
  /** make the working directory when it is not there */
  makeWorkdir: boolean;
  /** In the child: decides the credentials from the container's own files; the groups are read only if they are asked for. */
  findCredentials(passwd: string, readGroups: () => string): Credentials;
  /** In the child: the variables by name. */
  makeEnvironment(credentials: Credentials): Map<string, string>;
  /** undefined for what the user has anyway: everything for root, nothing for others */
  capabilities: CapabilitySets | undefined;
  limits: readonly ResourceLimit[];
  noNewPrivileges: boolean;
  /** file mode bits that are taken away */
  umask: number;
  /** how readily the kernel ends it when memory is short, -1000 to 1000 */
  oomScore: number;
  /** who the container's users are in the guest, when it has a user namespace */
  ids?: IdMaps;
  /** In the child: has the kernel filter its system calls from then on. */
  installSeccomp?: () => void;
  /** In the child, right before execve, as the user. */
  beforeProgram?: () => void;
  /** whether a program that cannot be executed is the starter's to hear of; else it is told on the process's own stderr */
  tellsOfProgram: boolean;
}
