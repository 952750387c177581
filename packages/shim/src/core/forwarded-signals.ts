/**
 * The signals that a shim hands on to its process. SIGCHLD is in neither list, although the original cc-shim has it: ours has
 * children of its own at times, when it brings a proxy back.
 */

const SIGKILL = 9;
const SIGPIPE = 13;
const SIGCHLD = 17;
const SIGSTOP = 19;
/** The first real-time signal that a C library leaves to programs, and the last one. */
const SIGRTMIN = 35;
const SIGRTMAX = 64;

/**
 * Of the original cc-shim: HUP, INT, TRAP, ABRT, USR1, USR2, ALRM, TERM, STKFLT, CONT, TSTP, TTIN, TTOU, URG, XCPU, XFSZ, VTALRM,
 * PROF, WINCH, IO, PWR, SYS.
 */
export const CC_SIGNALS: readonly number[] = [
  ...[1, 2, 5, 6, 10, 12, 14, 15, 16, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31],
];

/** Of the original kata-shim: all but SIGCHLD and SIGPIPE. */
export const KATA_SIGNALS: readonly number[] = [
  ...range(1, 31).filter((signal) => ![SIGKILL, SIGPIPE, SIGCHLD, SIGSTOP].includes(signal)),
  ...range(SIGRTMIN, SIGRTMAX),
];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
