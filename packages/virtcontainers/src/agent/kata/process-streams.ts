import type { Readable } from "node:stream";
import { isHuskError } from "../../errors/index.ts";
import type { GuestProcess } from "../guest-process.ts";
import type { KataAgent } from "./agent.ts";

/** Bytes of an answer from which on more of them are worth asking for. */
const MUCH = 32 * 1024;
/** Reads of an output from which much comes: while an answer is on its way, the guest has the next one ready. */
const READS_AT_ONCE = 3;

/** Carries the input and output of a process that this session has started. */
export class ProcessStreams {
  readonly #agent: KataAgent;
  readonly #containerId: string;
  readonly #execId: string;
  readonly process: GuestProcess;
  /** who waits for a reader */
  #waiting: (() => void)[] = [];

  constructor(agent: KataAgent, containerId: string, execId: string, process: GuestProcess) {
    this.#agent = agent;
    this.#containerId = containerId;
    this.#execId = execId;
    this.process = process;
  }

  /** The process has been started: carries its streams. Settles at the end of its output, or of the connection. */
  async carry(): Promise<void> {
    const { process } = this;
    process.start({
      writeStdin: (data, done) => void this.#write(data).finally(done),
      closeStdin: () =>
        this.#agent.closeProcessStdin(this.#containerId, this.#execId).catch(ignoreWhatHasEnded),
      resumeOutput: () => this.#wake(),
      signal: async (signal) => {
        await this.#agent
          .signalProcess(this.#containerId, this.#execId, signal, false)
          .catch(ignoreWhatHasEnded);
      },
      resize: async (rows, columns) => {
        await this.#agent
          .winsizeProcess(this.#containerId, this.#execId, rows, columns)
          .catch(ignoreWhatHasEnded);
      },
    });
    const streams = process.terminal ? (["stdout"] as const) : (["stdout", "stderr"] as const);
    await Promise.all(streams.map((stream) => this.#pump(stream)));
    process.endOutput();
  }

  async #pump(stream: "stdout" | "stderr"): Promise<void> {
    const asked: Promise<Uint8Array | undefined>[] = [];
    for (let atOnce = 1; ; ) {
      while (asked.length < atOnce) asked.push(this.#ask(stream));
      const data = await asked.shift();
      // An empty answer says nothing; an agent that gives them without end must not keep us busy.
      if (!data || data.length === 0) return;
      if (data.length >= MUCH && this.#agent.isOurs) atOnce = READS_AT_ONCE;
      if (!this.process.pushOutput(stream, data)) await this.#room(this.process[stream]);
    }
  }

  /** A read whose failure is told when its turn has come. */
  #ask(stream: "stdout" | "stderr"): Promise<Uint8Array | undefined> {
    const read = this.#read(stream);
    read.catch(() => {});
    return read;
  }

  #read(stream: "stdout" | "stderr"): Promise<Uint8Array | undefined> {
    return stream === "stdout"
      ? this.#agent.readProcessStdout(this.#containerId, this.#execId)
      : this.#agent.readProcessStderr(this.#containerId, this.#execId);
  }

  /** Waits until a reader has taken what it was given. */
  async #room(readable: Readable | undefined): Promise<void> {
    const wake = () => this.#wake();
    readable?.once("close", wake);
    while (readable && !readable.destroyed && readable.readableLength >= readable.readableHighWaterMark) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    readable?.off("close", wake);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** What a process does not take any more is lost, as in a pipe without a reader. */
  async #write(data: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < data.length; ) {
        const taken = await this.#agent.writeProcessStdin(this.#containerId, this.#execId, data.subarray(at));
        if (taken === 0) return;
        at += taken;
      }
    } catch (error) {
      ignoreWhatHasEnded(error);
    }
  }
}

/** What is done to a process that has ended, or over a connection that has, is in vain; whoever waits is told of that. */
function ignoreWhatHasEnded(error: unknown): void {
  if (!isHuskError(error)) throw error;
}
