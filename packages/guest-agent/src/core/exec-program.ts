/** The last steps of a child: who it is, where it is, and then it is the program. Reference: seed 001, steps 10–11. */

import * as sys from "tiny:sys";
import {
  Errno,
  errorText,
  exists,
  hasErrno,
  isDirectory,
  isSystemError,
  PR_SET_NO_NEW_PRIVS,
  SIG_SETMASK,
  writeAll,
  X_OK,
} from "@husk/tiny";
import { readFileHere } from "./container-files.ts";
import { DEFAULT_PATH, programCandidates } from "./environment.ts";
import { makeFolder, resolveInContainer } from "./mounts/mount-point.ts";
import { becomeUser } from "./privileges.ts";
import type { ProcessPlan } from "./process-plan.ts";
import { setResourceLimits } from "./resource-limits.ts";
import type { Stdio } from "./stdio.ts";
import { type Credentials, findGroup } from "./user-database.ts";
import { mappedId } from "./user-namespace.ts";

/** How the child ends when the program could not be executed; shells have the same numbers. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_EXECUTABLE = 126;

/** The paths at which the program may be, and what it is given. */
export interface Program {
  candidates: readonly string[];
  environment: readonly string[];
}

function enterWorkdir(path: string, make: boolean): void {
  try {
    // Without links: those of /proc would lead to other processes' roots.
    sys.chdir(make ? makeFolder(path) : resolveInContainer(path));
  } catch (error) {
    throw new Error(`working directory "${path}": ${errorText(error)}`);
  }
}

/** The text of a file of the container, "" when it is not there. Links of /proc do not lead to files of the guest. */
function readContainerText(path: string): string {
  try {
    return sys.decodeUtf8(readFileHere(path));
  } catch {
    // It is not there. Links without end, a folder, a file without one: there are no names to be found.
    return "";
  }
}

/** Makes the standard descriptors the user's, by the numbers that the guest knows the user by; a terminal is the tty group's. */
function installStreams(
  { ids, terminal }: ProcessPlan,
  stdio: Stdio,
  user: Credentials,
  readGroups: () => string,
): void {
  const gid = (terminal && findGroup("tty", readGroups())) ?? user.gid;
  if (!ids) stdio.install(user.uid, gid);
  else stdio.install(mappedId("user", ids.users, user.uid), mappedId("group", ids.groups, gid));
}

/** What is wrong with every one of these as a program; undefined when one can be executed. */
function findFault(name: string, candidates: readonly string[]): string | undefined {
  let fault = "not found";
  for (const path of candidates) {
    if (!exists(path)) continue;
    if (isDirectory(path)) fault = "it is a directory";
    else {
      try {
        sys.access(path, X_OK);
        return undefined;
      } catch (error) {
        fault = errorText(error);
      }
    }
  }
  return `program "${name}": ${fault}`;
}

/** How a child becomes ready. */
export interface Readiness {
  /** Done when all is done that takes the guest's root. */
  enterUsers(): void;
  /** whether it looks for the program, because it will not execute it at once */
  findsProgram: boolean;
}

/**
 * Becomes all but the program, in a child that is in its namespaces and root already.
 *
 * @throws Error with what it could not become, or when the program is not there and the starter is to hear of that
 */
export function becomeReady(
  plan: ProcessPlan,
  stdio: Stdio,
  { enterUsers, findsProgram }: Readiness,
): Program {
  const readGroups = () => readContainerText("/etc/group");
  const credentials = plan.findCredentials(readContainerText("/etc/passwd"), readGroups);
  const variables = plan.makeEnvironment(credentials);
  const name = plan.args[0] as string;
  sys.setsid();
  installStreams(plan, stdio, credentials, readGroups);
  setResourceLimits(plan.limits);
  enterWorkdir(plan.workdir, plan.makeWorkdir);
  sys.umask(plan.umask);
  enterUsers();
  sys.resetSignals();
  sys.sigprocmask(SIG_SETMASK, []);
  // Without no-new-privileges a filter takes the privilege that is given up right after; with it, it can come last.
  becomeUser(credentials, plan.capabilities, plan.noNewPrivileges ? undefined : plan.installSeccomp);
  if (plan.noNewPrivileges) sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
  const candidates = programCandidates(name, variables.get("PATH") ?? DEFAULT_PATH);
  const fault = findsProgram && plan.tellsOfProgram ? findFault(name, candidates) : undefined;
  if (fault) throw new Error(fault);
  return { candidates, environment: [...variables].map(([key, value]) => `${key}=${value}`) };
}

/** A look costs much less than to try and execute what is not there. */
function isMissing(path: string): boolean {
  try {
    return sys.statIfThere(path) === undefined;
  } catch {
    return false;
  }
}

/** Tries the candidates in turn; gives why none could be executed. */
function tryCandidates(plan: ProcessPlan, { candidates, environment }: Program): string | undefined {
  let refused: string | undefined;
  for (const path of candidates) {
    if (candidates.length > 1 && isMissing(path)) continue;
    try {
      sys.execve(path, [...plan.args], [...environment]);
    } catch (error) {
      // A name may be in a later folder of PATH, so these two go on looking.
      if (hasErrno(error, Errno.ENOENT, Errno.ENOTDIR)) continue;
      if (!isSystemError(error)) throw error;
      refused = errorText(error).replace(/^execve /, "");
      if (!hasErrno(error, Errno.EACCES)) break;
    }
  }
  return refused;
}

/**
 * Becomes the program.
 *
 * @throws Error when it cannot be executed, and the starter is to hear of that; else it is told on the process's own
 *   stderr, as a shell does
 */
export function executeProgram(plan: ProcessPlan, program: Program): never {
  plan.beforeProgram?.();
  if (plan.noNewPrivileges) plan.installSeccomp?.();
  const refused = tryCandidates(plan, program);
  const name = plan.args[0] as string;
  if (plan.tellsOfProgram)
    throw new Error(findFault(name, program.candidates) ?? `program "${name}": ${refused ?? "not found"}`);
  writeAll(2, sys.encodeUtf8(`exec failed: ${name}: ${refused ?? "not found"}\n`));
  sys.exit(refused ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND);
}
