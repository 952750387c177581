import * as sys from "tiny:sys";
import {
  EPOLLIN,
  Errno,
  errorText,
  exitCode,
  F_SETFL,
  hasErrno,
  isSystemError,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  onExit,
  SIGKILL,
  startBound,
  startTimer,
  stopTimer,
  unwatch,
  watch,
} from "@husk/tiny";

/** Bytes kept of what a command says on stderr: the last. */
const SAID_BYTES = 4096;
/** Milliseconds that a command has to be reaped after it was killed. */
const REAPING_MS = 2000;

/** A command that is to be run. */
export interface Command {
  argv: string[];
  environ: string[];
  timeoutMs: number;
  /** stdin, stdout and stderr; without them they are /dev/null, /dev/null, and what tells why it failed */
  descriptors?: number[];
}

/** What was wrong with a command that did not end with 0. */
export interface CommandFailure {
  /** what the command is, and how it ended */
  message: string;
  /** what it said on stderr, as far as that was ours to read */
  said: string;
}

/** Runs a command to its end, which comes in time. What is wrong with it; undefined when it ended well. */
export async function runCommand(command: Command): Promise<CommandFailure | undefined> {
  const name = command.argv[0] ?? "";
  const nothing = sys.open("/dev/null", O_RDWR | O_CLOEXEC, 0);
  const ear = command.descriptors ? undefined : new Ear();
  try {
    const descriptors = command.descriptors ?? [nothing, nothing, ear?.mouth ?? nothing];
    const pid = startBound({ argv: command.argv, environ: command.environ, descriptors });
    ear?.closeMouth();
    const status = await whenDone(pid, command.timeoutMs);
    const said = ear?.end() ?? "";
    if (status === undefined) return { message: `${name} took more than ${command.timeoutMs} ms`, said };
    const code = exitCode(status);
    return code === 0 ? undefined : { message: `${name} ended with ${code}`, said };
  } catch (error) {
    return { message: errorText(error), said: "" };
  } finally {
    ear?.end();
    sys.close(nothing);
  }
}

/** Its wait status; undefined when its time was up, and it was killed. */
function whenDone(pid: number, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    let timer = startTimer(timeoutMs, () => {
      isLate = true;
      killGroup(pid);
      timer = startTimer(REAPING_MS, () => resolve(undefined));
    });
    let isLate = false;
    onExit(pid, (status) => {
      stopTimer(timer);
      resolve(isLate ? undefined : status);
    });
  });
}

/** A command leads a session: its own children in that go with it. */
function killGroup(pid: number): void {
  try {
    sys.kill(-pid, SIGKILL);
  } catch (error) {
    if (!hasErrno(error, Errno.ESRCH)) throw error;
  }
}

/** Hears what a command says, and does not wait for whoever else may have that descriptor. */
class Ear {
  readonly mouth: number;
  readonly #reader: number;
  #said = new Uint8Array(0);
  #mouthIsOpen = true;
  #isOpen = true;

  constructor() {
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    this.#reader = reader;
    this.mouth = writer;
    sys.fcntl(reader, F_SETFL, O_NONBLOCK);
    watch(reader, EPOLLIN, () => this.#hear());
  }

  closeMouth(): void {
    if (this.#mouthIsOpen) sys.close(this.mouth);
    this.#mouthIsOpen = false;
  }

  /** What was said by now. */
  end(): string {
    this.closeMouth();
    if (this.#isOpen) {
      this.#hear();
      this.#close();
    }
    return sys.decodeUtf8(this.#said).trim();
  }

  #hear(): void {
    const chunk = new Uint8Array(SAID_BYTES);
    while (this.#isOpen) {
      const count = this.#read(chunk);
      if (count < 0) return;
      if (count === 0) this.#close();
      const all = new Uint8Array(this.#said.length + count);
      all.set(this.#said);
      all.set(chunk.subarray(0, count), this.#said.length);
      this.#said = all.slice(-SAID_BYTES);
    }
  }

  #read(chunk: Uint8Array): number {
    try {
      return sys.read(this.#reader, chunk, 0, chunk.length);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return 0;
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    unwatch(this.#reader);
    sys.close(this.#reader);
  }
}
