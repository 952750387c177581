/** ttrpc over yamux, both sides in one program, through a pipe that holds little. */
import type { TtrpcHandler } from "@husk/wire/ttrpc";
import { StatusCode, TtrpcClient, TtrpcError, TtrpcServer } from "@husk/wire/ttrpc";
import type { YamuxEvent, YamuxStream } from "@husk/wire/yamux";
import { SendQueue, YamuxSession } from "@husk/wire/yamux";
import { runScenarios } from "./scenarios.ts";

/** Frames after which a side's way out is full. */
const PIPE_FRAMES = 4;

const methods = new Map<string, TtrpcHandler>([
  ["Echo", ({ payload }) => payload],
  ["Later", async ({ payload }) => payload],
]);
const services = new Map([["test.Echo", methods]]);

/** What stands at one end of a stream. */
interface End {
  queue: SendQueue;
  feed(bytes: Uint8Array): void;
}

const ends = new Map<YamuxStream, End>();

function makeSide(role: "client" | "server") {
  const frames: Uint8Array[] = [];
  return { frames, session: new YamuxSession({ role, sink: (frame) => frames.push(frame) < PIPE_FRAMES }) };
}

const [client, server] = [makeSide("client"), makeSide("server")];

function openClient(): TtrpcClient {
  const stream = client.session.openStream();
  const queue = new SendQueue(stream);
  const calls = new TtrpcClient({ send: (message) => queue.push(message) });
  ends.set(stream, { queue, feed: (bytes) => calls.feed(bytes) });
  return calls;
}

function serve(stream: YamuxStream): void {
  const queue = new SendQueue(stream);
  const calls = new TtrpcServer({ services, send: (message) => queue.push(message) });
  ends.set(stream, { queue, feed: (bytes) => calls.feed(bytes) });
  stream.accept();
}

function take(events: readonly YamuxEvent[]): void {
  for (const event of events) {
    if (event.kind === "failed") throw event.error;
    if (event.kind === "stream") serve(event.stream);
    else if (event.kind === "writable") ends.get(event.stream)?.queue.flush();
    else if (event.kind === "data") {
      ends.get(event.stream)?.feed(event.data);
      event.stream.consume(event.data.length);
    }
  }
}

/** Carries frames until there are none. */
function carry(): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (const frame of from.frames.splice(0, from.frames.length)) {
        take(to.session.feed(frame));
        moved = true;
      }
      take(from.session.resume());
    }
  }
}

async function settle<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  let done = false;
  const all = Promise.all(calls).finally(() => {
    done = true;
  });
  while (!done) {
    carry();
    await undefined;
  }
  return all;
}

runScenarios({
  /** Calls with payloads of `size` bytes on several streams at once; how many came back as they were. */
  async echo(streams = "", size = "") {
    const payload = new Uint8Array(Number(size)).map((_, at) => at & 0xff);
    const calls = Array.from({ length: Number(streams) }, openClient).flatMap((calls) =>
      ["Echo", "Later"].map((method) => calls.call("test.Echo", method, payload)),
    );
    const answers = await settle(calls);
    return answers.filter((answer) => answer.every((byte, at) => byte === payload[at])).length;
  },
  /** Many calls, one after the other; how many. */
  async sequence(count = "") {
    const calls = openClient();
    const payload = new Uint8Array(200);
    const metadata = [{ key: "k", value: "ü€" }];
    let answered = 0;
    for (; answered < Number(count); answered++) {
      await settle([calls.call("test.Echo", "Echo", payload, { timeoutNano: 5e9, metadata })]);
    }
    return answered;
  },
  async failure() {
    const calls = openClient();
    const codeOf = (error: unknown) =>
      error instanceof TtrpcError ? [error.code, error.message] : String(error);
    const unknown = calls.call("test.Echo", "Nope", new Uint8Array(0)).catch(codeOf);
    const [found] = await settle([unknown]);
    return [found, StatusCode.UNIMPLEMENTED];
  },
});
