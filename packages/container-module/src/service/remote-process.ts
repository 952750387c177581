import { Readable, Writable } from "node:stream";
import { HuskError } from "@husk/virtcontainers";
import { checkTerminalSize } from "../module/call-rules.ts";
import type { ExecOptions, ExecProcess, TerminalSize } from "../types.ts";
import { INPUT_WINDOW_BYTES } from "./call-input.ts";
import type { MethodParams } from "./method-params.ts";
import { RemoteCall } from "./remote-call.ts";

/** Most input in one message, in bytes. */
const INPUT_PIECE_BYTES = 64 * 1024;

/** A program that the service has started in a container. */
export class RemoteProcess implements ExecProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #call: RemoteCall;
  readonly #started = Promise.withResolvers<void>();
  /** input that has been sent and not been taken yet, in bytes */
  #pending = 0;
  #onRoom: (() => void) | undefined;
  #hasEnded = false;

  private constructor(socket: string, params: MethodParams["exec"], signal: AbortSignal | undefined) {
    const readable = () => new Readable({ read: () => this.#call.resume() });
    this.stdout = readable();
    this.stderr = readable();
    this.stdin = new Writable({
      write: (data: Buffer, _encoding, done) => void this.#writeInput(data).then(() => done()),
      final: (done) => {
        this.#call.sendInput(undefined);
        done();
      },
    });
    this.#call = RemoteCall.begin(socket, "exec", params, {
      signal,
      onStarted: () => this.#started.resolve(),
      onOutput: (name, data) => (this[name].destroyed ? true : this[name].push(data)),
      onTaken: (bytes) => this.#makeRoom(bytes),
    });
    void this.#finish();
  }

  /** Starts a program. @throws HuskError as the module's `exec`, ERR_MODULE_UNREACHABLE, ERR_MODULE_PROTOCOL */
  static async start(
    socket: string,
    params: MethodParams["exec"],
    { signal }: Pick<ExecOptions, "signal">,
  ): Promise<RemoteProcess> {
    const process = new RemoteProcess(socket, params, signal);
    await Promise.race([process.#started.promise, process.#call.answer]);
    return process;
  }

  async wait(): Promise<{ exitCode: number }> {
    const answer = await this.#call.answer;
    if (isExit(answer)) return answer;
    throw new HuskError("ERR_MODULE_PROTOCOL", "the service does not tell how the program ended");
  }

  resize(size: TerminalSize): void {
    checkTerminalSize(size, "size");
    this.#call.sendSize(size);
  }

  [Symbol.dispose](): void {
    this.#call.close();
  }

  async #finish(): Promise<void> {
    await this.#call.answer.catch(() => {});
    this.#hasEnded = true;
    this.#makeRoom(0);
    this.stdout.push(null);
    this.stderr.push(null);
  }

  /** What a program that has ended does not take goes nowhere. */
  async #writeInput(data: Buffer): Promise<void> {
    for (let start = 0; start < data.length; start += INPUT_PIECE_BYTES) {
      const piece = data.subarray(start, start + INPUT_PIECE_BYTES);
      while (!this.#hasEnded && this.#pending + piece.length > INPUT_WINDOW_BYTES)
        await new Promise<void>((resolve) => (this.#onRoom = resolve));
      this.#pending += piece.length;
      this.#call.sendInput(piece);
    }
  }

  #makeRoom(bytes: number): void {
    this.#pending = Math.max(0, this.#pending - bytes);
    this.#onRoom?.();
    this.#onRoom = undefined;
  }
}

function isExit(answer: unknown): answer is { exitCode: number } {
  return (
    typeof answer === "object" && answer !== null && "exitCode" in answer && Number.isInteger(answer.exitCode)
  );
}
