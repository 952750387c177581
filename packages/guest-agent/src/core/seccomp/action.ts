/** What is done about a system call, as the number that a filter answers. */

import { SeccompError } from "./seccomp-error.ts";

const EPERM = 1;
/** Largest number that the kernel hands on as an errno. */
const MAX_ERRNO = 4095;
/** Largest number that a tracer is told. */
const MAX_TRACE = 0xffff;

const KILL_THREAD = 0x00000000;
const ERRNO = 0x00050000;
const TRACE = 0x7ff00000;
const ALLOW = 0x7fff0000;

/** Actions without a number of their own. */
const PLAIN: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: KILL_THREAD,
  SCMP_ACT_KILL_THREAD: KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: ALLOW,
};

/** What is done about a call by a way into the kernel that the profile does not name. */
export const FOREIGN_ACTION = 0x80000000;

/** What is done about a call that the kernel does not have. */
export const ENOSYS_ACTION = ERRNO | 38;

/** The answer that fails a call with this errno. */
function errnoAction(errno: number): number {
  if (errno > MAX_ERRNO) throw new SeccompError(`errno ${errno}: the largest is ${MAX_ERRNO}`);
  return ERRNO | errno;
}

/** True for an answer that fails a call with an errno. */
export function isErrnoAction(action: number): boolean {
  return action >>> 16 === ERRNO >>> 16;
}

function traceAction(data: number): number {
  if (data > MAX_TRACE) throw new SeccompError(`errnoRet ${data} for a tracer: the largest is ${MAX_TRACE}`);
  return TRACE | data;
}

/**
 * The answer for an action's name.
 *
 * @param errno errno of ERRNO, or the number that TRACE tells; EPERM by default
 * @throws SeccompError for a name that is none, or one that cannot be done here
 */
export function actionNumber(name: string, errno = EPERM): number {
  if (name === "SCMP_ACT_ERRNO") return errnoAction(errno);
  if (name === "SCMP_ACT_TRACE") return traceAction(errno);
  if (name === "SCMP_ACT_NOTIFY") {
    throw new SeccompError(`seccomp action "${name}" is not supported: nobody in the guest would answer`);
  }
  const action = PLAIN[name];
  if (action === undefined) throw new SeccompError(`unknown seccomp action "${name}"`);
  return action;
}
