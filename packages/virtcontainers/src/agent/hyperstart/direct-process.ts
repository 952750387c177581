import type { StreamFrame } from "@husk/wire/hyperstart";
import type { GuestProcess } from "../guest-process.ts";
import type { HyperstartConnection } from "./connection.ts";
import type { StreamSeqs } from "./requests.ts";
import type { StreamRouter, StreamSink } from "./stream-router.ts";
import type { CommandOptions, PreparedProcess, ProcessStreams, Reply } from "./transport.ts";

/** A process whose streams go over the stream channel itself. */
export class DirectProcess implements PreparedProcess, ProcessStreams, StreamSink {
  readonly seqs: StreamSeqs;
  readonly streams = this;
  readonly #process: GuestProcess;
  readonly #connection: HyperstartConnection;
  readonly #router: StreamRouter;

  constructor(process: GuestProcess, connection: HyperstartConnection, router: StreamRouter) {
    this.seqs = { stdio: router.allocate(), stderr: process.terminal ? 0 : router.allocate() };
    this.#process = process;
    this.#connection = connection;
    this.#router = router;
    router.add(this.#numbers, this);
  }

  /** All streams share the channel: one that is held up holds up all. */
  get isHeldUp(): boolean {
    return this.#router.isBlocked();
  }

  get #numbers(): number[] {
    return this.seqs.stderr === 0 ? [this.seqs.stdio] : [this.seqs.stdio, this.seqs.stderr];
  }

  start(command: number, payload: object, options: CommandOptions): Promise<Reply> {
    return this.#connection.request(command, JSON.stringify(payload), options);
  }

  receive({ seq, data }: StreamFrame): boolean {
    if (seq === this.seqs.stderr) return data.length === 0 || this.#process.pushOutput("stderr", data);
    if (data.length > 0) return this.#process.pushOutput("stdout", data);
    this.#process.endOutput();
    return true;
  }

  writeStdin(data: Uint8Array, done: () => void): void {
    this.#connection.write(this.seqs.stdio, data, done);
  }

  closeStdin(): void {
    this.#connection.end(this.seqs.stdio);
  }

  resumeOutput(): void {
    this.#router.unblock(this);
  }

  release(): void {
    this.#router.delete(this.#numbers);
    this.#router.unblock(this);
  }
}
