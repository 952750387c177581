import * as sys from "tiny:sys";
import { EPOLLIN, Errno, errorText, hasErrno, readBytes, readTextIfThere, unwatch, watch } from "@husk/tiny";
import { type ExitRecord, parseExitRecord } from "@husk/wire/attach";
import { boundText } from "./bound-text.ts";
import type { EndedChildren } from "./ended-children.ts";
import { readProcessStat } from "./process-stat.ts";
import type { StateChange } from "./state-file.ts";

const SIGNAL_MASK = 0x7f;
const EXIT_FILE_BYTES = 64 * 1024;

/** How the container's process ended, as the state has it. */
export type ContainerExit = Pick<StateChange, "exitCode" | "exitSignal" | "exitUnknown" | "oomKilled">;

/** The process on the host that is the container. */
export class ContainerProcess {
  readonly pid: number;
  /** clock ticks since the boot */
  readonly startTime: number;
  /** folder of its cgroup, if it has one of its own */
  readonly #cgroup: string | undefined;
  readonly #whenEnded: Promise<number | undefined>;
  #hasEnded = false;

  private constructor(pid: number, startTime: number, whenEnded: Promise<number | undefined>) {
    this.pid = pid;
    this.startTime = startTime;
    this.#cgroup = ownCgroupOf(pid);
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
  async whenEnded(exitFile: string | undefined): Promise<ContainerExit> {
    const status = await this.#whenEnded;
    const oomKilled = this.#countOomKills() > 0 || undefined;
    return { ...(status === undefined ? readExitFile(exitFile) : readStatus(status)), oomKilled };
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

  #countOomKills(): number {
    if (this.#cgroup === undefined) return 0;
    const text = readIfReadable(`${this.#cgroup}/memory.events`);
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }
}

/** How a process ended, of which there may be a record. */
export function readExitFile(path: string | undefined): ContainerExit {
  const unknown: ContainerExit = { exitCode: undefined, exitSignal: undefined, exitUnknown: true };
  if (path === undefined) return unknown;
  const record = readRecord(path);
  if (!record || "lost" in record) return unknown;
  return { exitCode: record.exitCode, exitSignal: undefined, exitUnknown: undefined };
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

/** Its cgroup in the one hierarchy, unless that is ours. */
function ownCgroupOf(pid: number): string | undefined {
  const find = (process: number | "self") =>
    /^0::(\/.+)$/m.exec(readIfReadable(`/proc/${process}/cgroup`))?.[1];
  const path = find(pid);
  return path === undefined || path === find("self") || path.includes("/../")
    ? undefined
    : `/sys/fs/cgroup${path}`;
}

function readIfReadable(path: string): string {
  try {
    return readTextIfThere(path) ?? "";
  } catch {
    return "";
  }
}
