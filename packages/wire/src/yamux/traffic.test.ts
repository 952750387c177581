import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { cut } from "../test-support/bytes.ts";
import type { YamuxEvent } from "./events.ts";
import { SendQueue } from "./send-queue.ts";
import type { YamuxStream } from "./stream.ts";
import { makeSide, type Side } from "./test-support/wire.ts";

const STREAMS = 50;

/** Two windows and a half. */
const STREAM_BYTES = 640 * 1024;

/** Bytes that differ by stream and place. */
function patternOf(seed: number): Uint8Array {
  const bytes = new Uint8Array(STREAM_BYTES);
  for (let at = 0; at < bytes.length; at++) bytes[at] = at * 31 + seed * 17 + (at >> 8);
  return bytes;
}

test("50 streams bring more than a window each both ways, through a pipe that holds little, without a deadlock", () => {
  const sides = [makeSide("client"), makeSide("server")] as const;
  const queues = new Map<YamuxStream, SendQueue>();
  const hashes = new Map<YamuxStream, Hash>();
  const ended: string[] = [];
  const begin = (side: string, stream: YamuxStream) => {
    const queue = new SendQueue(stream);
    queues.set(stream, queue);
    hashes.set(stream, createHash("sha256"));
    queue.push(patternOf(stream.id + side.length));
    queue.end();
  };
  const take = (side: string, events: readonly YamuxEvent[]) => {
    for (const event of events) {
      if (event.kind === "stream") begin(side, event.stream);
      else if (event.kind === "data") {
        hashes.get(event.stream)?.update(event.data);
        event.stream.consume(event.data.length);
      } else if (event.kind === "writable") queues.get(event.stream)?.flush();
      else if (event.kind === "end") {
        ended.push(`${side} ${event.stream.id} ${hashes.get(event.stream)?.digest("hex")}`);
      } else assert.equal(event.kind, "accepted");
    }
  };
  // A pipe that holds one frame: after each the sink is full, until the other side has read it.
  for (const side of sides) side.state.full = true;
  for (let id = 0; id < STREAMS; id++) begin("client", sides[0].session.openStream());
  const carry = (from: Side, to: Side, name: string) => {
    const frames = from.take();
    for (const frame of frames) take(name, to.session.feed(frame));
    return frames.length;
  };
  for (let moved = 1; moved > 0; ) {
    moved = carry(sides[0], sides[1], "server") + carry(sides[1], sides[0], "client");
    take("client", sides[0].session.resume());
    take("server", sides[1].session.resume());
  }
  assert.equal(ended.length, 2 * STREAMS);
  for (const line of ended) {
    const [side = "", id = "", digest] = line.split(" ");
    const sender = side === "client" ? "server" : "client";
    const wanted = patternOf(Number(id) + sender.length);
    assert.equal(digest, createHash("sha256").update(wanted).digest("hex"));
  }
  for (const { session } of sides) assert.equal(session.streamCount, 0);
});

test("a stream that nobody reads holds up no other", () => {
  const [client, server] = [makeSide("client"), makeSide("server")];
  const [idle, busy] = [client.session.openStream(), client.session.openStream()];
  idle.write(new Uint8Array(1024 * 1024));
  let received = 0;
  let written = 0;
  for (let round = 0; round < 40; round++) {
    written += busy.write(new Uint8Array(262144));
    for (const frame of client.take()) {
      for (const event of server.session.feed(frame)) {
        if (event.kind === "stream") event.stream.accept();
        if (event.kind === "data" && event.stream.id === busy.id) {
          received += event.data.length;
          event.stream.consume(event.data.length);
        }
      }
    }
    for (const frame of server.take()) client.session.feed(frame);
  }
  assert.equal(received, written);
  // What is used is told by half windows, so each round has at least one.
  assert.ok(written >= 20 * 262144);
  assert.equal(idle.room, 0);
});

/** One step of a conversation; which stream and how much are taken modulo what there is. */
const arbitraryStep = fc.record({
  side: fc.nat(1),
  action: fc.constantFrom("open", "write", "write", "close", "reset", "consume", "carry", "resume", "fill"),
  stream: fc.nat(20),
  size: fc.oneof(fc.nat(200), fc.nat(400000)),
  cuts: fc.array(fc.nat(3000), { maxLength: 3 }),
});

test("whatever two sides do, neither finds fault with the other, and data come out in order", () => {
  fc.assert(
    fc.property(fc.array(arbitraryStep, { maxLength: 60 }), (steps) => {
      const sides = [makeSide("client"), makeSide("server")] as const;
      const streams: YamuxStream[][] = [[], []];
      const unused = new Map<YamuxStream, number>();
      /** bytes written and read, by side and stream */
      const counts = new Map<string, number>();
      const count = (key: string, bytes: number) => {
        const before = counts.get(key) ?? 0;
        counts.set(key, before + bytes);
        return before;
      };
      for (const step of steps) {
        const [here, there] = [sides[step.side], sides[1 - step.side]];
        assert.ok(here && there);
        const mine = streams[step.side] ?? [];
        const stream = mine[step.stream % Math.max(mine.length, 1)];
        if (step.action === "open") mine.push(here.session.openStream());
        else if (step.action === "fill") here.state.full = !here.state.full;
        else if (step.action === "resume") here.session.resume();
        else if (step.action === "carry") {
          const bytes = Buffer.concat(there.take());
          for (const piece of cut(bytes, step.cuts)) {
            for (const event of here.session.feed(piece)) {
              assert.notEqual(event.kind, "failed");
              if (event.kind === "stream") mine.push(event.stream);
              if (event.kind !== "data") continue;
              unused.set(event.stream, (unused.get(event.stream) ?? 0) + event.data.length);
              const start = count(`read ${step.side} ${event.stream.id}`, event.data.length);
              event.data.forEach((byte, at) => {
                if (byte !== ((start + at) & 0xff)) assert.fail("data out of order");
              });
            }
          }
        } else if (stream && step.action === "write" && stream.writable) {
          const start = counts.get(`written ${step.side} ${stream.id}`) ?? 0;
          const data = Uint8Array.from({ length: step.size }, (_, at) => (start + at) & 0xff);
          count(`written ${step.side} ${stream.id}`, stream.write(data));
        } else if (stream && step.action === "close") stream.close();
        else if (stream && step.action === "reset") stream.reset();
        else if (stream && step.action === "consume") {
          const waiting = unused.get(stream) ?? 0;
          stream.consume(Math.min(step.size, waiting));
          unused.set(stream, waiting - Math.min(step.size, waiting));
        }
      }
    }),
    { numRuns: 150 },
  );
});
