import { readText, readTextIfThere } from "@husk/tiny";

/** What /proc/PID/stat says of a process that lives. */
export interface ProcessStat {
  /** process id of its parent */
  parent: number;
  /** when it was started, in clock ticks since the boot */
  startTime: number;
}

/** Clock ticks of /proc per second. */
const TICKS_PER_SECOND = 100;
/** Fields behind the name, which may have blanks and parentheses in it: the state, the parent, …, the start time. */
const [STATE, PARENT, START_TIME] = [0, 1, 19];

/** Looks at a process; undefined when it has ended, be it that nobody has reaped it. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readStat(pid);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  const state = fields[STATE];
  if (state === undefined || state === "Z" || state === "X") return undefined;
  return { parent: Number(fields[PARENT]), startTime: Number(fields[START_TIME]) };
}

function readStat(pid: number): string | undefined {
  try {
    return readTextIfThere(`/proc/${pid}/stat`);
  } catch {
    // ESRCH: it has ended since the file was opened.
    return undefined;
  }
}

/** Milliseconds between a start time in ticks and a time of CLOCK_BOOTTIME in milliseconds. */
export function millisecondsSince(startTime: number, now: number): number {
  return now - (startTime * 1000) / TICKS_PER_SECOND;
}

/** Tells this boot of the machine from every other one. */
export function readBootId(): string {
  return readText("/proc/sys/kernel/random/boot_id").trim();
}
