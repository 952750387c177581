import assert from "node:assert/strict";
import type { YamuxEvent } from "../src/yamux/index.ts";
import { SendQueue, YamuxSession } from "../src/yamux/index.ts";
import { cutRandomly, mutateBytes } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./run.ts";

/** Bounds low enough for changed seeds to pass them. */
const MAX_STREAMS = 4;
const BOUNDS = { maxStreams: MAX_STREAMS, acceptBacklog: 3 };

/** What a side that only listens makes of the bytes: its events, data put together, and what it sends. */
function listen(pieces: readonly Uint8Array[]): string[] {
  const log: string[] = [];
  const sent: string[] = [];
  const session = new YamuxSession({
    ...BOUNDS,
    role: "server",
    sink: (frame) => sent.push(Buffer.from(frame).toString("hex")) > 0,
  });
  session.openStream();
  session.openStream();
  for (const piece of pieces) {
    for (const event of session.feed(piece)) {
      if (event.kind === "data") {
        const start = `data ${event.stream.id} `;
        const digits = Buffer.from(event.data).toString("hex");
        const last = log.at(-1);
        if (last?.startsWith(start)) log[log.length - 1] = last + digits;
        else log.push(start + digits);
      } else if (event.kind === "failed") log.push(event.error.code);
      else log.push("stream" in event ? `${event.kind} ${event.stream.id}` : event.kind);
    }
    assert.ok(session.streamCount <= MAX_STREAMS + 2);
  }
  return [...log, ...sent];
}

/** A side that answers all that comes, at a sink that is full now and then. */
function converse(pieces: readonly Uint8Array[], random: Random): void {
  const session = new YamuxSession({ ...BOUNDS, role: "server", sink: () => random.next(4) > 0 });
  const queues = new Map<number, SendQueue>();
  const take = (events: readonly YamuxEvent[]) => {
    for (const event of events) {
      if (event.kind === "stream") {
        if (random.next(4) === 0) event.stream.reset();
        queues.set(event.stream.id, new SendQueue(event.stream));
      } else if (event.kind === "data") {
        queues.get(event.stream.id)?.push(event.data.slice());
        event.stream.consume(random.next(event.data.length + 1));
      } else if (event.kind === "end") queues.get(event.stream.id)?.end();
      else if (event.kind === "writable") queues.get(event.stream.id)?.flush();
    }
  };
  for (const piece of pieces) {
    take(session.feed(piece));
    take(session.resume());
  }
  take(session.end());
  assert.equal(session.streamCount, 0);
}

/** What must hold for all that a host or a guest may send on the agent's channel. */
export const yamuxTargets: readonly Target[] = [
  {
    name: "yamux frames",
    seeds: "yamux",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      assert.deepEqual(listen(cutRandomly(bytes, random)), listen([bytes]));
    },
  },
  {
    name: "yamux conversation",
    seeds: "yamux",
    tryOne(seed, random) {
      converse(cutRandomly(mutateBytes(seed, random), random), random);
    },
  },
];
