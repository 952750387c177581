import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { startsWithNewHost } from "./new-host.ts";
import { TakeOver } from "./take-over.ts";

const NUMBER = Uint8Array.of(1, 0, 2, 3);
const PONG = [0, 2, 0, 2, 0, 0, 0, 0, ...NUMBER];

test("a new owner says that it is new, and asks", () => {
  const takeOver = new TakeOver(NUMBER);
  assert.ok(startsWithNewHost(takeOver.greeting));
  const digits = Buffer.from(takeOver.greeting.subarray(-12)).toString("hex");
  assert.equal(digits, "000300000000000000000002");
  assert.equal(Buffer.from(takeOver.question).toString("hex"), "000200010000000001000203");
});

test("what comes before the answer is dropped, and what comes behind it is not, however it is cut", () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const parts = fc.array(fc.nat({ max: 20 }), { maxLength: 20 });
  fc.assert(
    fc.property(bytes, bytes, parts, fc.boolean(), (before, behind, cuts, isNearly) => {
      const nearly = isNearly ? PONG.slice(0, 11) : [];
      const all = Uint8Array.from([...before, ...nearly, ...PONG, ...behind]);
      const takeOver = new TakeOver(NUMBER);
      let at = 0;
      for (const length of [...cuts, all.length]) {
        const rest = takeOver.push(all.subarray(at, at + length));
        at = Math.min(at + length, all.length);
        if (rest === undefined) continue;
        assert.deepEqual([...rest, ...all.subarray(at)], [...behind]);
        return;
      }
      assert.fail("the answer was not found");
    }),
  );
});

test("an answer with another number is none", () => {
  const takeOver = new TakeOver(NUMBER);
  assert.equal(takeOver.push(Uint8Array.from([...PONG.slice(0, 11), 4])), undefined);
});
