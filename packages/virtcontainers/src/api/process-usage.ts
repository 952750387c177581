import { readFileSync } from "node:fs";

/** Microseconds of a tick, in which /proc tells processor time: USER_HZ is 100 on all that QEMU runs on. */
const TICK_US = 10_000;

/** What a process of the host has used, or uses. */
export interface ProcessUsage {
  /** microseconds of the host's processors */
  readonly cpuUs: number;
  /** bytes of the host's memory */
  readonly rss: number;
}

/** What a process uses; one that has just ended uses nothing. */
export function readProcessUsage(pid: number): ProcessUsage {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may hold anything; the fields after it begin with the third.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return { cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US, rss: Number(kib ?? 0) * 1024 };
  } catch {
    return { cpuUs: 0, rss: 0 };
  }
}
