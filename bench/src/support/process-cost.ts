import { readFileSync } from "node:fs";

/** What a process holds and has spent. */
export interface ProcessCost {
  /** its share of the memory that is in use, in MB */
  readonly pss: number;
  /** processor time in milliseconds */
  readonly cpu: number;
  /** how often it has gone to sleep of its own accord, and so was woken up */
  readonly wakeups: number;
}

/** milliseconds of a clock tick, in which the kernel counts processor time */
const TICK_MS = 10;
/** fields of /proc/PID/stat behind the name: where the two times are */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Reads what a process holds and has spent. @throws Error when there is no such process */
export function readCost(pid: number): ProcessCost {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "latin1");
  const stat = read("stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pss: number(/^Pss:\s+(\d+)/m, read("smaps_rollup")) / 1000,
    cpu: (Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * TICK_MS,
    wakeups: number(/^voluntary_ctxt_switches:\s+(\d+)/m, read("status")),
  };
}

function number(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1]);
}

/** Process id of the proxy that holds a lock. */
export function proxyPid(lock: string): number {
  return Number(readFileSync(lock, "latin1"));
}
