/** Running a program and waiting for it, in a forked child: the agent itself never waits like this. */

import * as sys from "tiny:sys";
import {
  CLOCK_MONOTONIC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLIN,
  errorText,
  exitCode,
  F_SETFL,
  F_SETPIPE_SZ,
  fork,
  O_CLOEXEC,
  O_NONBLOCK,
  SIG_SETMASK,
  SIGKILL,
  writeAll,
} from "@husk/tiny";

/** What is run. */
export interface ProgramRun {
  path: string;
  args: readonly string[];
  environment: readonly string[];
  /** text on its standard input */
  input: string;
  /** milliseconds after which it and its process group are killed */
  timeoutMs: number;
}

/** Bytes that a pipe has room for. */
const PIPE_BYTES = 64 * 1024;
/** Most bytes of its output that are told. */
const OUTPUT_BYTES = 1024;

/** A pipe with all of the input in it: nobody need wait until it is read. */
function fillPipe(input: Uint8Array): number {
  const [read, write] = sys.pipe2(O_CLOEXEC);
  if (input.length > PIPE_BYTES) sys.fcntl(write, F_SETPIPE_SZ, input.length);
  writeAll(write, input);
  sys.close(write);
  return read;
}

function becomeProgram({ path, args, environment }: ProgramRun, input: number, output: number): never {
  try {
    sys.setsid();
    sys.dup2(input, 0);
    sys.dup2(output, 1);
    sys.dup2(output, 2);
    sys.resetSignals();
    sys.sigprocmask(SIG_SETMASK, []);
    sys.execve(path, [...args], [...environment]);
  } catch (error) {
    writeAll(output, sys.encodeUtf8(errorText(error)));
  }
  sys.exit(127);
}

/** The beginning of what a program writes; all of it is read. */
class OutputHead {
  readonly #fd: number;
  readonly #bytes = new Uint8Array(OUTPUT_BYTES);
  readonly #rest = new Uint8Array(4096);
  #size = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Reads what is there; false at the end. */
  read(): boolean {
    for (;;) {
      const hasRoom = this.#size < OUTPUT_BYTES;
      const buffer = hasRoom ? this.#bytes : this.#rest;
      const at = hasRoom ? this.#size : 0;
      const count = sys.read(this.#fd, buffer, at, buffer.length - at);
      if (count <= 0) return count < 0;
      if (hasRoom) this.#size += count;
    }
  }

  get text(): string {
    return sys.decodeUtf8(this.#bytes.subarray(0, this.#size)).trim();
  }
}

/** Waits until the process has ended; false when that takes too long. */
function awaitEnd(pid: number, output: number, head: OutputHead, timeoutMs: number): boolean {
  const process = sys.pidfdOpen(pid);
  const epoll = sys.epollCreate();
  for (const fd of [process, output]) sys.epollCtl(epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
  const events = new Int32Array(4);
  const due = sys.clock(CLOCK_MONOTONIC) + timeoutMs;
  try {
    for (;;) {
      const leftMs = Math.ceil(due - sys.clock(CLOCK_MONOTONIC));
      if (leftMs <= 0) return false;
      const count = sys.epollWait(epoll, events, leftMs);
      for (let at = 0; at < count; at++) {
        if (events[2 * at] === process) return true;
        if (!head.read()) sys.epollCtl(epoll, EPOLL_CTL_DEL, output, 0);
      }
    }
  } finally {
    sys.close(process);
    sys.close(epoll);
  }
}

/** Runs a program; gives what went wrong, with what it wrote, or undefined when it ended with 0. */
export function runProgram(run: ProgramRun): string | undefined {
  const input = fillPipe(sys.encodeUtf8(run.input));
  const [hear, tell] = sys.pipe2(O_CLOEXEC);
  sys.fcntl(hear, F_SETFL, O_NONBLOCK);
  const pid = fork(() => becomeProgram(run, input, tell));
  sys.close(input);
  sys.close(tell);
  const head = new OutputHead(hear);
  const inTime = awaitEnd(pid, hear, head, run.timeoutMs);
  if (!inTime) {
    // The program itself, should it not be the leader of its group yet, and all that it has started.
    sys.kill(pid, SIGKILL);
    killGroup(pid);
  }
  const status = sys.waitpid(pid, 0)?.[1] ?? 0;
  head.read();
  sys.close(hear);
  if (!inTime) return `it was killed after ${run.timeoutMs} ms`;
  if (status === 0) return undefined;
  return [`it ended with ${exitCode(status)}`, head.text].filter((text) => text !== "").join(": ");
}

function killGroup(pid: number): void {
  try {
    sys.kill(-pid, SIGKILL);
  } catch {
    // There is none.
  }
}
