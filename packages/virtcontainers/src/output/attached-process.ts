import { Readable, Writable } from "node:stream";
import {
  type AttachHello,
  type ExitRecord,
  encodeResize,
  encodeSignal,
  encodeStdin,
  encodeSubscribe,
  MAX_ATTACH_PAYLOAD_BYTES,
} from "@husk/wire/attach";
import { HuskError } from "../errors/index.ts";
import type { AttachedContainer, ProcessExit } from "../types/index.ts";
import type { AttachConnection } from "./attach-connection.ts";

/** Tells how the process ended when its shim did not. */
export type ExplainEnd = (record: ExitRecord | undefined) => Promise<ProcessExit>;

/** The ends of a process that a shim carries. */
export class AttachedProcess implements AttachedContainer {
  readonly terminal: boolean;
  readonly interactive: boolean;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  readonly #connection: AttachConnection;
  readonly #exit: Promise<ProcessExit>;
  #isDetached = false;

  constructor(connection: AttachConnection, hello: AttachHello, explain: ExplainEnd) {
    this.#connection = connection;
    this.terminal = hello.terminal;
    this.interactive = hello.interactive;
    const readable = () => new Readable({ read: () => connection.socket.resume() });
    this.stdout = readable();
    this.stderr = hello.terminal ? undefined : readable();
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#write(chunk, done),
      final: (done) => {
        if (hello.interactive) this.#send(encodeStdin());
        done();
      },
    });
    connection.onOutput = ({ name, data }) => this.#push(name === "stdout" ? this.stdout : this.stderr, data);
    this.#exit = this.#finish(explain);
    this.#exit.catch(() => {});
    this.#send(encodeSubscribe(true));
  }

  wait(): Promise<ProcessExit> {
    return this.#exit;
  }

  async signal(signal: number): Promise<void> {
    this.#send(encodeSignal(signal));
  }

  async resize(rows: number, columns: number): Promise<void> {
    this.#send(encodeResize(rows, columns));
  }

  detach(): void {
    this.#isDetached = true;
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  /** A reader that has enough holds up the connection, and so, in the end, is sent away. */
  #push(stream: Readable | undefined, data: Uint8Array): void {
    if (stream && !stream.destroyed && !stream.push(data)) this.#connection.socket.pause();
  }

  async #finish(explain: ExplainEnd): Promise<ProcessExit> {
    try {
      const record = await this.#connection.ended();
      if (this.#isDetached) throw new HuskError("ERR_ABORTED", "the container was let go");
      return record && "exitCode" in record ? { exitCode: record.exitCode } : await explain(record);
    } finally {
      this.stdout.push(null);
      this.stderr?.push(null);
    }
  }

  /** What is written to a process that has no input, or has ended, goes nowhere. */
  #write(chunk: Buffer, done: () => void): void {
    const { socket } = this.#connection;
    if (!this.interactive || socket.destroyed) {
      done();
      return;
    }
    for (let start = 0; start < chunk.length; start += MAX_ATTACH_PAYLOAD_BYTES)
      socket.write(encodeStdin(chunk.subarray(start, start + MAX_ATTACH_PAYLOAD_BYTES)));
    if (socket.writableNeedDrain) whenDrained(socket, done);
    else done();
  }

  #send(frame: Uint8Array): void {
    const { socket } = this.#connection;
    if (!socket.destroyed) socket.write(frame);
  }
}

/** Calls back when a connection takes more, or nothing any more. */
function whenDrained(socket: Writable, done: () => void): void {
  const settle = () => {
    socket.off("drain", settle);
    socket.off("close", settle);
    done();
  };
  socket.once("drain", settle);
  socket.once("close", settle);
}
