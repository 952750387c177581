import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamRouter, type StreamSink } from "./stream-router.ts";

class RecordingChannel {
  readonly said: string[] = [];
  pauseStream(): void {
    this.said.push("pause");
  }
  resumeStream(): void {
    this.said.push("resume");
  }
}

function sink(hasRoom: () => boolean): StreamSink & { received: number[] } {
  const received: number[] = [];
  return {
    received,
    receive: ({ seq }) => {
      received.push(seq);
      return hasRoom();
    },
  };
}

test("the channel is held up while anybody has enough, and goes on when nobody has", () => {
  const channel = new RecordingChannel();
  const router = new StreamRouter(channel);
  const [a, b] = [sink(() => false), sink(() => false)];
  router.add([1], a);
  router.add([2, 3], b);
  const data = new Uint8Array(1);
  router.route({ seq: 1, data });
  router.route({ seq: 3, data });
  router.unblock(a);
  assert.equal(router.isBlocked(), true);
  router.unblock(b);
  router.unblock(b);
  assert.deepEqual(channel.said, ["pause", "pause", "resume"]);
  assert.deepEqual([a.received, b.received], [[1], [3]]);
});

test("numbers are never given twice, and one that is taken is refused", () => {
  const router = new StreamRouter(new RecordingChannel());
  const numbers = Array.from({ length: 10_000 }, () => router.allocate());
  assert.equal(new Set(numbers).size, numbers.length);
  assert.ok(numbers.every((number) => Number.isSafeInteger(number) && number > 0));
  const owner = sink(() => true);
  router.add([7], owner);
  assert.throws(
    () =>
      router.add(
        [6, 7],
        sink(() => true),
      ),
    { code: "ERR_AGENT_REFUSED" },
  );
  assert.ok(router.owns(7, owner) && !router.owns(6, owner));
  router.delete([7]);
  router.route({ seq: 7, data: new Uint8Array(0) });
  assert.deepEqual(owner.received, []);
});
