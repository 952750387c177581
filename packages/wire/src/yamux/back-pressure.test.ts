import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "../test-support/bytes.ts";
import { SendQueue } from "./send-queue.ts";
import { describe, makeSide } from "./test-support/wire.ts";

const PING = hex("00 02 0001 00000000 00000007");

test("a full sink takes no data; frames without data wait for it in order", () => {
  const { session, state, takeHex } = makeSide("client");
  const stream = session.openStream();
  state.full = true;
  assert.equal(stream.write(hex("aa")), 1);
  takeHex();
  assert.equal(stream.write(hex("bb")), 0);
  session.feed(PING);
  stream.close();
  assert.equal(takeHex(), "");
  state.full = false;
  assert.deepEqual(session.resume(), []);
  assert.equal(takeHex(), "000200020000000000000007 000100040000000100000000");
});

test("a sink that fills again while it resumes gets the rest later", () => {
  const { session, state, takeHex } = makeSide("client");
  state.full = true;
  session.ping();
  session.ping();
  session.ping();
  assert.equal(takeHex(), "000200010000000000000000");
  session.resume();
  assert.equal(takeHex(), "000200010000000000000001");
  session.resume();
  assert.equal(takeHex(), "000200010000000000000002");
});

test("streams take turns at a sink that is often full", () => {
  const { session, state } = makeSide("client");
  const streams = [session.openStream(), session.openStream(), session.openStream()];
  state.full = true;
  session.ping();
  for (const stream of streams) assert.equal(stream.write(new Uint8Array(60000)), 0);
  const served: number[] = [];
  for (let round = 0; round < 6; round++) {
    for (const event of session.resume()) {
      if (event.kind === "writable" && event.stream.write(new Uint8Array(60000)) > 0) {
        served.push(event.stream.id);
      }
    }
  }
  assert.deepEqual(served, [1, 3, 5, 1, 3, 5]);
});

test("a peer that wants answers and reads none ends the session", () => {
  const { session, state, takeHex } = makeSide("server");
  state.full = true;
  session.feed(PING);
  let last: string[] = [];
  for (let count = 0; count < 3000 && last.length === 0; count++) last = describe(session.feed(PING));
  assert.deepEqual(last, ["failed ERR_YAMUX_FLOOD"]);
  assert.match(takeHex(), / 000300000000000000000002$/);
});

test("a send queue writes in order across windows and closes at the end", () => {
  const { session, take } = makeSide("client");
  const stream = session.openStream();
  const queue = new SendQueue(stream, { highWaterBytes: 300000 });
  take();
  assert.equal(queue.push(new Uint8Array(262144).fill(1)), true);
  assert.equal(queue.push(new Uint8Array(200000).fill(2)), true);
  assert.equal(queue.push(new Uint8Array(100000).fill(3)), false);
  queue.end();
  assert.equal(queue.push(hex("04")), false);
  assert.equal(queue.queuedBytes, 300000);
  session.feed(hex("00 01 0000 00000001 00040000"));
  assert.equal(queue.flush(), false);
  session.feed(hex("00 01 0000 00000001 00040000"));
  assert.equal(queue.flush(), true);
  const frames = take();
  const data = Buffer.concat(frames.map((frame) => frame.subarray(12)));
  const wanted = [
    new Uint8Array(262144).fill(1),
    new Uint8Array(200000).fill(2),
    new Uint8Array(100000).fill(3),
  ];
  assert.ok(data.equals(Buffer.concat(wanted)));
  assert.equal(Buffer.from(frames.at(-1) ?? []).toString("hex"), "000100040000000100000000");
});

test("a send queue of a stream that was reset drops what it has", () => {
  const { session } = makeSide("client");
  const queue = new SendQueue(session.openStream());
  queue.push(new Uint8Array(300000));
  assert.ok(queue.queuedBytes > 0);
  session.feed(hex("00 01 0008 00000001 00000000"));
  assert.equal(queue.flush(), true);
  assert.equal(queue.queuedBytes, 0);
  assert.equal(queue.push(hex("aa")), false);
});
