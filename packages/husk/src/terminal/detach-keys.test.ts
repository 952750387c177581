import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { DetachKeys } from "./detach-keys.ts";

/** What is passed on of what is typed in pieces, and how often the keys were seen. */
async function type(...pieces: string[]): Promise<{ passed: string; detached: number }> {
  let detached = 0;
  const keys = new DetachKeys(() => {
    detached++;
    keys.push(null);
  });
  const passed = text(keys);
  for (const piece of pieces) keys.write(piece);
  if (detached === 0) keys.end();
  return { passed: await passed, detached };
}

describe("DetachKeys", () => {
  it("passes on all that is not Ctrl-P Ctrl-Q", async () => {
    assert.deepEqual(await type("abc", "\x11d", "\x10", "\x10x", "\x10\x10y\x10"), {
      passed: "abc\x11d\x10\x10x\x10\x10y\x10",
      detached: 0,
    });
  });

  it("sees them in one piece or two, after another Ctrl-P as well, and passes nothing on behind them", async () => {
    assert.deepEqual(await type("ab\x10\x11c"), { passed: "ab", detached: 1 });
    assert.deepEqual(await type("ab\x10", "\x11"), { passed: "ab", detached: 1 });
    assert.deepEqual(await type("\x10\x10\x11"), { passed: "\x10", detached: 1 });
  });
});
