import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTime } from "./format-time.ts";

test("times are written as Date writes them", () => {
  const texts = [
    "1970-01-01",
    "1999-12-31",
    "2000-02-29",
    "2024-02-29",
    "2026-03-01",
    "2100-02-28",
    "2400-02-29",
  ];
  for (const text of texts) {
    const time = Date.parse(`${text}T23:59:59.999Z`);
    assert.equal(formatTime(time), new Date(time).toISOString());
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8_000_000_000_000 }), (time) => {
      assert.equal(formatTime(time + 0.5), new Date(time).toISOString());
    }),
  );
});
