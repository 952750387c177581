import * as sys from "tiny:sys";
import { RLIMIT_UNLIMITED, type Rlimit } from "@husk/wire/hyperstart";

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

/** The kernel's RLIM_INFINITY, all bits set, as the number that becomes it. */
const INFINITY = -1;

const kernelValue = (limit: number) => (limit >= RLIMIT_UNLIMITED ? INFINITY : limit);

/** Sets the calling process's limits. @throws Error for a name that is no limit's */
export function setResourceLimits(limits: Rlimit[]): void {
  for (const { type, soft, hard } of limits) {
    const number = NUMBERS[type];
    if (number === undefined) throw new Error(`unknown resource limit "${type}"`);
    sys.setrlimit(number, kernelValue(soft), kernelValue(hard));
  }
}
