/** A client of a module shim's control socket, for tests. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  encodeExecStdin,
  encodeShimCall,
  type ShimCallInput,
  type ShimEvent,
  ShimEventDecoder,
} from "@husk/wire/module-shim";

const DEADLINE_MS = 60_000;
const LAST = ["state", "fault", "exit"];

/** What came of a call: the last event, and the output before it. */
export interface Answer {
  last: ShimEvent;
  stdout: string;
  stderr: string;
}

/** See the head of the file. */
export class ShimClient {
  readonly socket: Socket;
  readonly #events: ShimEvent[] = [];
  #wake = Promise.withResolvers<void>();
  #hasEnded = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new ShimEventDecoder();
    socket.on("data", (chunk: Buffer) => {
      for (const event of decoder.push(Uint8Array.from(chunk))) this.#events.push(event);
      this.#wake.resolve();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#hasEnded = true;
      this.#wake.resolve();
    });
  }

  static async connect(path: string): Promise<ShimClient> {
    const socket = connect(path);
    await once(socket, "connect");
    return new ShimClient(socket);
  }

  /** One call on a connection of its own. */
  static async call(path: string, call: ShimCallInput, stdin = ""): Promise<Answer> {
    const client = await ShimClient.connect(path);
    try {
      client.send(call, stdin);
      return await client.answer();
    } finally {
      client.socket.destroy();
    }
  }

  /** Asks for something; an exec gets its input, and its end. */
  send(call: ShimCallInput, stdin = ""): void {
    this.socket.write(encodeShimCall(call));
    if (call.method !== "exec") return;
    if (stdin !== "") this.socket.write(encodeExecStdin(Buffer.from(stdin)));
    this.socket.write(encodeExecStdin());
  }

  /** The next event; undefined at the connection's end. */
  async next(): Promise<ShimEvent | undefined> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const event = this.#events.shift();
      if (event || this.#hasEnded) return event;
      this.#wake = Promise.withResolvers();
      deadline.onabort = () => this.#wake.reject(new Error("the shim has not answered"));
      await this.#wake.promise;
    }
  }

  /** What comes as output until a text has. */
  async output(wanted: string): Promise<string> {
    let text = "";
    while (!text.includes(wanted)) {
      const event = await this.next();
      if (event?.kind !== "output") throw new Error(`${JSON.stringify(event)} after ${JSON.stringify(text)}`);
      text += Buffer.from(event.data).toString();
    }
    return text;
  }

  async answer(): Promise<Answer> {
    const text = { stdout: "", stderr: "" };
    for (;;) {
      const event = await this.next();
      if (!event) throw new Error("the shim has closed the connection");
      if (event.kind === "output") text[event.name] += Buffer.from(event.data).toString();
      if (LAST.includes(event.kind)) return { last: event, ...text };
    }
  }
}
