import * as sys from "tiny:sys";
import { EPOLLIN, Errno, errorText, hasErrno, readBytes, readTextIfThere, unwatch, watch } from "@husk/tiny";
import { type ExitRecord, parseExitRecord } from "@husk/wire/attach";
import { boundText } from "./bound-text.ts";
import type { EndedChildren } from "./ended-children.ts";
import { readProcessStat } from "./process-stat.ts";
import type { StateChange } from "./state-file.ts";

const SIGNAL_MASK = 0x7f;
const EXIT_FILE_BYTES = 64 * 1024;
/** Lines of /proc/PID/cgroup, and the file in the cgroup that each names. */
const OOM_COUNTS = [
  { line: /^0::(\/.+)$/m, root: "/sys/fs/cgroup", file: "memory.events" },
  { line: /^\d+:memory:(\/.+)$/m, root: "/sys/fs/cgroup/memory", file: "memory.oom_control" },
];

/** How the container's process ended, as the state has it. */
type ContainerExit = Pick<StateChange, "exitCode" | "exitSignal" | "exitUnknown" | "oomKilled">;

/** The end of the container's process. */
export interface ContainerEnd {
  exit: ContainerExit;
  /** why nobody knows how it ended, if somebody has said so */
  lost?: string;
}

/** The process on the host that is the container. */
export class ContainerProcess {
  readonly pid: number;
  /** clock ticks since the boot; 0 when it had ended before anybody looked */
  readonly startTime: number;
  /** files that count the processes of it which were ended for want of memory */
  readonly #oomCounts: readonly string[];
  readonly #whenEnded: Promise<number | undefined>;
  #hasEnded = false;

  private constructor(pid: number, startTime: number, whenEnded: Promise<number | undefined>) {
    this.pid = pid;
    this.startTime = startTime;
    this.#oomCounts = findOomCounts(pid);
    this.#whenEnded = whenEnded.then((status) => {
      this.#hasEnded = true;
      return status;
    });
  }

  /** The one that a runtime has just left to us. To be called before anything else is waited for. */
  static ofRuntime(pid: number, children: EndedChildren): ContainerProcess {
    const stat = readProcessStat(pid);
    const isOurs = children.has(pid) || stat === undefined || stat.parent === sys.getpid();
    return new ContainerProcess(
      pid,
      stat?.startTime ?? 0,
      isOurs ? children.whenEnded(pid) : whenGone(pid, stat.startTime),
    );
  }

  /** One that a shim before us has left; undefined when it is not there any more, be its pid another's. */
  static adopt(pid: number, startTime: number): ContainerProcess | undefined {
    if (readProcessStat(pid)?.startTime !== startTime) return undefined;
    return new ContainerProcess(pid, startTime, whenGone(pid, startTime));
  }

  /** Resolves when it has ended. */
  async whenGone(): Promise<void> {
    await this.#whenEnded;
  }

  /** Resolves when it has ended, with how it did. */
  async whenEnded(exitFile: string | undefined): Promise<ContainerEnd> {
    const status = await this.#whenEnded;
    const oomKilled = this.#oomCounts.some(isAboveZero) || undefined;
    const told = readExitFile(exitFile);
    // It may stand for a process elsewhere, of which it knows more than its own exit code.
    if (status === undefined || told.lost !== undefined)
      return { ...told, exit: { ...told.exit, oomKilled } };
    return { exit: { ...readStatus(status), oomKilled } };
  }

  /** Sends it a signal, past its runtime. */
  signal(signal: number): void {
    if (this.#hasEnded) return;
    try {
      sys.kill(this.pid, signal);
    } catch (error) {
      if (!hasErrno(error, Errno.ESRCH)) throw error;
    }
  }
}

/** How a process ended, of which there may be a record. */
export function readExitFile(path: string | undefined): ContainerEnd {
  const record = path === undefined ? undefined : readRecord(path);
  const exit: ContainerExit = { exitCode: undefined, exitSignal: undefined, exitUnknown: undefined };
  if (!record) return { exit: { ...exit, exitUnknown: true } };
  if ("lost" in record) return { exit: { ...exit, exitUnknown: true }, lost: record.lost };
  return { exit: { ...exit, exitCode: record.exitCode } };
}

function readRecord(path: string): ExitRecord | undefined {
  try {
    return parseExitRecord(readBytes(path, EXIT_FILE_BYTES));
  } catch {
    // None was written, or not as a whole: nobody knows.
    return undefined;
  }
}

function readStatus(status: number): ContainerExit {
  const signal = status & SIGNAL_MASK;
  return signal === 0
    ? { exitCode: (status >> 8) & 0xff, exitSignal: undefined, exitUnknown: undefined }
    : { exitCode: undefined, exitSignal: signal, exitUnknown: undefined };
}

/** Resolves, with nothing, when a process has ended that is not our child. */
function whenGone(pid: number, startTime: number): Promise<undefined> {
  return new Promise((resolve) => {
    const process = openProcess(pid);
    // Opened by its number: it may be another one by now.
    if (process === undefined || readProcessStat(pid)?.startTime !== startTime) {
      if (process !== undefined) sys.close(process);
      resolve(undefined);
      return;
    }
    watch(process, EPOLLIN, () => {
      unwatch(process);
      sys.close(process);
      resolve(undefined);
    });
  });
}

function openProcess(pid: number): number | undefined {
  try {
    return sys.pidfdOpen(pid);
  } catch (error) {
    if (hasErrno(error, Errno.ESRCH)) return undefined;
    throw new Error(boundText(`process ${pid}: ${errorText(error)}`));
  }
}

/** Where a cgroup of its own counts them, with either version of cgroups; nowhere when it is in ours. */
function findOomCounts(pid: number): string[] {
  const [its, ours] = [`/proc/${pid}/cgroup`, "/proc/self/cgroup"].map(readIfReadable);
  return OOM_COUNTS.flatMap(({ line, root, file }) => {
    const [path, own] = [its, ours].map((text) => line.exec(text ?? "")?.[1]);
    return path === undefined || path === own || path.includes("/../") ? [] : [`${root}${path}/${file}`];
  });
}

function isAboveZero(file: string): boolean {
  return Number(/^oom_kill (\d+)$/m.exec(readIfReadable(file))?.[1] ?? 0) > 0;
}

function readIfReadable(path: string): string {
  try {
    return readTextIfThere(path) ?? "";
  } catch {
    return "";
  }
}
