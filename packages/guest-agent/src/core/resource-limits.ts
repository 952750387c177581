import * as sys from "tiny:sys";

/** Numbers of the kernel's limits by their names in the OCI runtime specification (asm-generic/resource.h). */
const NUMBERS: Record<string, number> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

/** One limit of a process. */
export interface ResourceLimit {
  /** as in the OCI runtime specification: `RLIMIT_NOFILE` */
  type: string;
  /** in the limit's own unit; -1, the kernel's RLIM_INFINITY with all bits set, for none */
  soft: number;
  hard: number;
}

/** Whether a limit has this name. */
export function isResourceLimit(type: string): boolean {
  return Object.hasOwn(NUMBERS, type);
}

/** Sets the calling process's limits. @throws Error for a name that is no limit's */
export function setResourceLimits(limits: readonly ResourceLimit[]): void {
  for (const { type, soft, hard } of limits) {
    const number = isResourceLimit(type) ? NUMBERS[type] : undefined;
    if (number === undefined) throw new Error(`unknown resource limit "${type}"`);
    sys.setrlimit(number, soft, hard);
  }
}
