import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { readLogTail, withLogTail } from "./log-tail.ts";

test("the last lines come without what a terminal would act on", (t) => {
  const path = join(makeTempRoot(t).base, "log");
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  writeFileSync(path, `${lines.join("\n")}\n\x1b]0;title\x07last \x1b[2J\n\n`);
  assert.equal(readLogTail(path, 2), "line 99\nlast");
  assert.equal(withLogTail("It broke", "it says", path).split("\n").at(-1), "  | last");
});

test("a panic is told from its first line on", (t) => {
  const path = join(makeTempRoot(t).base, "log");
  const trace = Array.from({ length: 100 }, (_, index) => `trace ${index}`);
  writeFileSync(path, ["before", "Kernel panic - not syncing: why", ...trace].join("\n"));
  assert.equal(readLogTail(path, 2), "Kernel panic - not syncing: why\ntrace 0");
});

test("a huge log costs no more than its end; a missing one is empty", (t) => {
  const path = join(makeTempRoot(t).base, "log");
  writeFileSync(path, "x".repeat(1_000_000));
  assert.ok(readLogTail(path).length <= 8192);
  assert.equal(readLogTail(`${path}.none`), "");
  assert.equal(withLogTail("It broke", "it says", `${path}.none`), "It broke; it says: (nothing)");
});
