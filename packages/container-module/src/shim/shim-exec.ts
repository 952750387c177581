import { Readable, Writable } from "node:stream";
import { HuskError } from "@husk/virtcontainers";
import { abortError } from "@husk/virtcontainers/internals";
import {
  type ExecExit,
  type ExecShimCall,
  encodeExecResize,
  encodeExecSignal,
  encodeExecStdin,
  MAX_SHIM_PAYLOAD_BYTES,
  type ShimEvent,
  type ShimFault,
} from "@husk/wire/module-shim";
import { checkTerminalSize } from "../module/call-rules.ts";
import type { ExecProcess, TerminalSize } from "../types.ts";
import { ShimConnection, ShimFaultError } from "./shim-connection.ts";
import { answerTimeoutMs } from "./timeouts.ts";

const SIGKILL = 9;
/** A program has ended that has never run. */
const NOT_STARTED: ShimFault = { code: "runtime", message: "the program was not started" };

/** What is asked of a shim to run a program. */
export type ExecCall = ExecShimCall;

/** A program that a shim runs in its container. */
export class ShimExec implements ExecProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #exit = Promise.withResolvers<ExecExit>();
  readonly #started = Promise.withResolvers<void>();
  readonly #call: ExecCall;
  readonly #explain: (error: unknown) => unknown;
  #connection: ShimConnection | undefined;
  #failure: unknown;

  private constructor(call: ExecCall, explain: (error: unknown) => unknown) {
    this.#call = call;
    this.#explain = explain;
    const readable = () => new Readable({ read: () => this.#connection?.socket.resume() });
    [this.stdout, this.stderr] = [readable(), readable()];
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#write(chunk, done),
      final: (done) => this.#send(encodeExecStdin(), done),
    });
    // A program need not read its input to the end; who waits is told all that there is to tell.
    this.stdin.on("error", () => {});
    this.#exit.promise.catch(() => {});
    this.#started.promise.catch(() => {});
  }

  /**
   * Starts a program.
   * @param explain what is told instead of an Error ENOENT or ECONNREFUSED when there is no shim, of a RangeError when the call is
   * too long, or of a ShimFaultError
   * @throws HuskError ERR_SHIM_LOST, ERR_ABORTED; what `explain` makes
   */
  static async start(
    socket: string,
    call: ExecCall,
    explain: (error: unknown) => unknown,
    signal?: AbortSignal,
  ): Promise<ShimExec> {
    const exec = new ShimExec(call, explain);
    try {
      exec.#connection = await ShimConnection.open(socket, call, (event) => exec.#take(event), signal);
    } catch (error) {
      throw explain(error);
    }
    exec.#connection.lost().catch((error: unknown) => exec.#end(error));
    const onAbort = () => exec.#kill(signal ? abortError(signal) : undefined);
    signal?.addEventListener("abort", onAbort, { once: true });
    exec.#exit.promise.finally(() => signal?.removeEventListener("abort", onAbort)).catch(() => {});
    if (signal?.aborted) onAbort();
    await exec.#started.promise;
    return exec;
  }

  async wait(): Promise<{ exitCode: number }> {
    const { exitCode, exitSignal, timedOut } = await this.#exit.promise;
    if (this.#failure) throw this.#failure;
    if (timedOut) {
      const text = `${this.#call.args[0]} did not end within ${this.#call.timeoutMs} ms and was killed`;
      throw new HuskError("ERR_TIMEOUT", text);
    }
    return { exitCode: exitSignal === undefined ? (exitCode ?? 255) : 128 + exitSignal };
  }

  resize(size: TerminalSize): void {
    checkTerminalSize(size, "size");
    this.#send(encodeExecResize(size), () => {});
  }

  /** Without its client, a shim ends the program. */
  [Symbol.dispose](): void {
    this.#connection?.[Symbol.dispose]();
  }

  #take(event: ShimEvent): void {
    if (event.kind === "started") this.#started.resolve();
    else if (event.kind === "output")
      this.#push(event.name === "stdout" ? this.stdout : this.stderr, event.data);
    else if (event.kind === "exit") this.#end(new ShimFaultError(NOT_STARTED), event.exit);
    else if (event.kind === "fault") this.#end(new ShimFaultError(event.fault));
    else this.#end(new HuskError("ERR_SHIM_LOST", `the shim answers exec with ${event.kind}`));
  }

  /** Who does not read holds up the program, as a full pipe does. */
  #push(stream: Readable, data: Uint8Array): void {
    if (!stream.destroyed && !stream.push(data)) this.#connection?.socket.pause();
  }

  #write(chunk: Buffer, done: (error?: Error | null) => void): void {
    for (let at = 0; at < chunk.length; at += MAX_SHIM_PAYLOAD_BYTES) {
      const piece = chunk.subarray(at, at + MAX_SHIM_PAYLOAD_BYTES);
      const isLast = at + MAX_SHIM_PAYLOAD_BYTES >= chunk.length;
      this.#send(encodeExecStdin(piece), isLast ? done : () => {});
    }
    if (chunk.length === 0) done();
  }

  #send(frame: Uint8Array, done: (error?: Error | null) => void): void {
    const { socket } = this.#connection ?? {};
    if (socket?.writable) socket.write(frame, done);
    else done();
  }

  /** The failure is told when the program has ended; one that cannot be ended, or whose shim says nothing, is let go of. */
  #kill(failure: unknown): void {
    this.#failure ??= failure;
    this.#send(encodeExecSignal(SIGKILL), () => {});
    const timer = setTimeout(() => this[Symbol.dispose](), answerTimeoutMs());
    this.#exit.promise.finally(() => clearTimeout(timer)).catch(() => {});
  }

  /** With the first of these it is over. */
  #end(error: unknown, exit?: ExecExit): void {
    const failure = this.#failure ?? this.#explain(error);
    if (exit) this.#exit.resolve(exit);
    else this.#exit.reject(failure);
    this.#started.reject(failure);
    for (const stream of [this.stdout, this.stderr]) if (!stream.destroyed) stream.push(null);
    this.stdin.destroy();
    this.#connection?.socket.end();
  }
}
