import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { HuskError } from "../errors/index.ts";

/** Milliseconds between the first look at a process that is to end and the next; each further pause is twice as long. */
const FIRST_PAUSE_MS = 1;

/** A process, told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** start of the process in clock ticks since boot: field 22 of `/proc/<pid>/stat` */
  readonly startTime: string;
}

/** State and start time out of a `/proc/<pid>/stat`; the command in it may hold spaces and parentheses. */
export function parseStat(stat: string): { state: string; startTime: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  return state && startTime ? { state, startTime } : undefined;
}

function readStat(pid: number): { state: string; startTime: string } | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** Identity of a process that runs; undefined when there is none of that number. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat ? { pid, startTime: stat.startTime } : undefined;
}

/** Whether that very process still runs. One that has ended and waits for its parent does not. */
export function isProcessAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return (
    stat !== undefined && stat.startTime === identity.startTime && stat.state !== "Z" && stat.state !== "X"
  );
}

/** Kills that very process; a later one with the same number is left alone. */
export function killProcess(identity: ProcessIdentity, signal: NodeJS.Signals = "SIGKILL"): void {
  if (!isProcessAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It has just ended, which is what was wanted.
  }
}

/**
 * Waits until processes that were killed have ended. They are others' children, or nobody's: nothing tells of their end.
 * @throws HuskError ERR_TIMEOUT
 */
export async function waitForEnds(processes: readonly ProcessIdentity[], timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const [left] = processes.filter(isProcessAlive);
    if (!left) return;
    const restMs = end - performance.now();
    if (restMs <= 0) {
      const text = `process ${left.pid} was killed, and has not ended within ${Math.round(timeoutMs)} ms`;
      throw new HuskError("ERR_TIMEOUT", text);
    }
    await delay(Math.min(pauseMs, restMs));
  }
}

/** Environment by which a pod's process that does not have the pod's uuid on its command line is found. */
export function podEnvironment(uuid: string): Record<string, string> {
  return { HUSK_POD: uuid };
}

/**
 * The processes of a pod: those with its uuid as an argument, or in their environment. For cleaning up after a crash: it
 * reads all of /proc.
 */
export function findPodProcesses(uuid: string): ProcessIdentity[] {
  const entries = Object.entries(podEnvironment(uuid)).map((entry) => entry.join("="));
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const words = wordsOf(name);
    if (!words.includes(uuid) && !entries.some((entry) => words.includes(entry))) continue;
    const identity = identifyProcess(Number(name));
    if (identity) found.push(identity);
  }
  return found;
}

/** Arguments and environment of a process; of one that has ended, none. */
function wordsOf(pid: number | string): string[] {
  try {
    return ["cmdline", "environ"].flatMap((file) => readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0"));
  } catch {
    return [];
  }
}

/** Arguments of a process; of one that has ended, none. */
export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/** Whether a process was started for a pod, by its environment. */
export function isPodProcess(pid: number, uuid: string): boolean {
  const words = wordsOf(pid);
  return Object.entries(podEnvironment(uuid)).some((entry) => words.includes(entry.join("=")));
}
