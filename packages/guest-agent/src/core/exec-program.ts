/** The last steps of a child: who it is, where it is, and then it is the program. Reference: seed 001, steps 10–11. */

import * as sys from "tiny:sys";
import {
  Errno,
  errorText,
  hasErrno,
  isSystemError,
  makeDirectories,
  PR_SET_NO_NEW_PRIVS,
  readTextIfThere,
  SIG_SETMASK,
  writeAll,
} from "@husk/tiny";
import type { Process as ProcessSpec } from "@husk/wire/hyperstart";
import { readCapabilitySets } from "./capability-sets.ts";
import { makeEnvironment, programCandidates } from "./environment.ts";
import { becomeUser } from "./privileges.ts";
import { setResourceLimits } from "./resource-limits.ts";
import type { Stdio } from "./stdio.ts";
import { findGroup, lookUpCredentials } from "./user-database.ts";

/** How the child ends when the program could not be executed; shells have the same numbers. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_EXECUTABLE = 126;

/** What the program is started with. */
export interface Launch {
  spec: ProcessSpec;
  stdio: Stdio;
  hostname: string;
  /** make the working directory when it is not there */
  makeWorkdir: boolean;
  /** its terminal, if it has one, is the container's console */
  hasConsole: boolean;
}

function enterWorkdir(path: string, make: boolean): void {
  if (make) makeDirectories(path);
  try {
    sys.chdir(path);
  } catch (error) {
    throw new Error(`working directory "${path}": ${errorText(error)}`);
  }
}

function fail(name: string, reason: string, code: number): never {
  writeAll(2, sys.encodeUtf8(`exec failed: ${name}: ${reason}\n`));
  sys.exit(code);
}

function execute(args: string[], environment: Map<string, string>): never {
  const name = args[0] as string;
  const environ = [...environment].map(([key, value]) => `${key}=${value}`);
  let refused: string | undefined;
  for (const path of programCandidates(name, environment.get("PATH") ?? "")) {
    try {
      sys.execve(path, args, environ);
    } catch (error) {
      // A name may be in a later folder of PATH, so these two go on looking.
      if (hasErrno(error, Errno.ENOENT, Errno.ENOTDIR)) continue;
      if (!isSystemError(error)) throw error;
      refused = errorText(error).replace(/^execve /, "");
      if (!hasErrno(error, Errno.EACCES)) break;
    }
  }
  if (refused) fail(name, refused, EXIT_NOT_EXECUTABLE);
  fail(name, "not found", EXIT_NOT_FOUND);
}

/**
 * Becomes the program, in a child that is in its namespaces and root already. Errors before the standard descriptors
 * are in place are thrown; a program that cannot be executed is told on the process's own stderr, as a shell does.
 */
export function execProgram(launch: Launch): never {
  const { spec, stdio } = launch;
  const capabilities = spec.capabilities && readCapabilitySets(spec.capabilities);
  const wanted = { additionalGroups: spec.additionalGroups, ...pick(spec) };
  const groups = readTextIfThere("/etc/group") ?? "";
  const credentials = lookUpCredentials(wanted, readTextIfThere("/etc/passwd") ?? "", groups);
  const environment = makeEnvironment({
    hostname: launch.hostname,
    terminal: spec.terminal,
    credentials,
    envs: spec.envs,
  });
  sys.setsid();
  stdio.install(credentials.uid, findGroup("tty", groups) ?? credentials.gid);
  if (launch.hasConsole) stdio.bindConsole();
  setResourceLimits(spec.rlimits ?? []);
  enterWorkdir(spec.workdir, launch.makeWorkdir);
  becomeUser(credentials, capabilities);
  if (spec.noNewPrivileges) sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
  sys.resetSignals();
  sys.sigprocmask(SIG_SETMASK, []);
  execute(spec.args, environment);
}

function pick(spec: ProcessSpec): { user?: string; group?: string } {
  return { ...(spec.user && { user: spec.user }), ...(spec.group && { group: spec.group }) };
}
