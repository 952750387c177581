import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTime } from "./time-text.ts";

test("a time is written as JavaScript's own Date writes it", () => {
  const latest = Date.UTC(9999, 11, 31);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: latest }), (ms) => {
      assert.equal(formatTime(ms + 0.25), new Date(ms).toISOString());
    }),
  );
  for (const text of ["2024-02-29T23:59:59.999Z", "2000-03-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"])
    assert.equal(formatTime(Date.parse(text)), text);
});
