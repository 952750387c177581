import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type AttachEvent, AttachEventDecoder } from "@husk/wire/attach";

const DEADLINE_MS = 30_000;

/** A client that has attached itself to a shim. */
export class Attached {
  readonly socket: Socket;
  readonly #decoder = new AttachEventDecoder();
  readonly #events: AttachEvent[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  private constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("data", (chunk) => {
      this.#events.push(...this.#decoder.push(new Uint8Array(chunk)));
      this.#wake?.();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  static async to(path: string): Promise<Attached> {
    const client = new Attached(path);
    await once(client.socket, "connect");
    return client;
  }

  send(frame: Uint8Array): void {
    this.socket.write(frame);
  }

  /** What it is told next; undefined when the connection was closed. */
  async next(): Promise<AttachEvent | undefined> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const event = this.#events.shift();
      if (event || this.#isClosed) return event;
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error("nothing came"));
      });
    }
  }

  /** The bytes of a stream from here on, until the end of the connection, and the last event. */
  async readOutput(name: "stdout" | "stderr"): Promise<{ bytes: Buffer; last: AttachEvent | undefined }> {
    const pieces: Uint8Array[] = [];
    let last: AttachEvent | undefined;
    for (let event = await this.next(); event; event = await this.next()) {
      if (event.kind === "output" && event.name === name) pieces.push(event.data.slice());
      last = event;
    }
    return { bytes: Buffer.concat(pieces), last };
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
