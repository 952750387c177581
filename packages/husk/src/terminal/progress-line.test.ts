import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressLine } from "./progress-line.ts";

/** Shows the progress of a work that gets on by one MiB each 60 ms, and gives what was written. */
function show(isTTY: boolean, steps: number): string {
  let [written, now] = ["", 0];
  const stream = { isTTY, write: (text: string) => (written += text) };
  const line = new ProgressLine(stream, "packing", () => now);
  for (let step = 1; step <= steps; step += 1) {
    now += 60;
    line.show({ bytes: step * 2 ** 20, totalBytes: 2 ** 30 });
  }
  line[Symbol.dispose]();
  return written;
}

test("on a terminal one line changes, not too often, and goes away", () => {
  assert.equal(show(true, 4), "\r\u001b[Kpacking: 2 MiB of 1 GiB\r\u001b[Kpacking: 4 MiB of 1 GiB\r\u001b[K");
});

test("elsewhere there is a line now and then, and none of quick work", () => {
  assert.equal(show(false, 80), "");
  assert.equal(show(false, 90), "packing: 84 MiB of 1 GiB\n");
});
