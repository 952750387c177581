import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { BASE_DEADLINES, deadlineFactor, deadlineMs } from "./deadlines.ts";

afterEach(() => {
  delete process.env.HUSK_DEADLINE_FACTOR;
  delete process.env.HUSK_BOOT_DEADLINE_MS;
});

test("deadlines are stretched by the accelerator and by configuration, never shortened", () => {
  assert.equal(deadlineFactor("kvm"), 1);
  const tcg = deadlineFactor("tcg");
  assert.ok(tcg > 1);
  for (const [value, factor] of [
    ["3", 3 * tcg],
    ["0.1", tcg],
    ["-5", tcg],
    ["nonsense", tcg],
  ] as const) {
    process.env.HUSK_DEADLINE_FACTOR = value;
    assert.equal(deadlineFactor("tcg"), factor, value);
  }
});

test("only the boot's deadline can be set, for tests", () => {
  assert.equal(deadlineMs("boot", 2), 2 * BASE_DEADLINES.boot);
  process.env.HUSK_BOOT_DEADLINE_MS = "50";
  assert.equal(deadlineMs("boot", 2), 50);
  assert.equal(deadlineMs("exit", 2), 2 * BASE_DEADLINES.exit);
});
