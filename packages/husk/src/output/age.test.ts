import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatSpan } from "./age.ts";

describe("formatSpan", () => {
  const cases: [milliseconds: number, text: string][] = [
    [-5_000, "0 seconds"],
    [0, "0 seconds"],
    [1_999, "1 second"],
    [59_999, "59 seconds"],
    [60_000, "1 minute"],
    [7_199_000, "1 hour"],
    [86_400_000 * 400, "400 days"],
  ];
  for (const [milliseconds, text] of cases) {
    it(`tells ${milliseconds} ms as ${text}`, () => assert.equal(formatSpan(milliseconds), text));
  }
});
