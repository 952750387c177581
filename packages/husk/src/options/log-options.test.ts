import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InvalidArgumentError } from "commander";
import { makeLogOptions, parseSince, parseTail } from "./log-options.ts";

describe("parseSince", () => {
  it("reads spans, dates and seconds", () => {
    const now = Date.parse("2026-01-02T12:00:00Z");
    assert.equal(parseSince("90s", now).toISOString(), "2026-01-02T11:58:30.000Z");
    assert.equal(parseSince("1h30m", now).toISOString(), "2026-01-02T10:30:00.000Z");
    assert.equal(parseSince("1.5d", now).toISOString(), "2026-01-01T00:00:00.000Z");
    assert.equal(parseSince("2026-01-01T00:00:00Z").toISOString(), "2026-01-01T00:00:00.000Z");
    assert.equal(parseSince("1767225600.5").toISOString(), "2026-01-01T00:00:00.500Z");
  });

  it("refuses the rest", () => {
    for (const text of ["", "soon", "10x", "m", "2026-13-01", "-5m", "1m5"])
      assert.throws(() => parseSince(text), InvalidArgumentError, text);
  });
});

describe("parseTail", () => {
  it("reads numbers and all", () => {
    assert.deepEqual(["0", "10", "all"].map(parseTail), [0, 10, Number.POSITIVE_INFINITY]);
    for (const text of ["", "-1", "1.5", "x"])
      assert.throws(() => parseTail(text), InvalidArgumentError, text);
  });
});

describe("makeLogOptions", () => {
  it("leaves all to the library that was not typed", () => {
    const nothing = { follow: undefined, since: undefined, tail: undefined };
    assert.deepEqual(makeLogOptions({}), nothing);
    assert.deepEqual(makeLogOptions({ tail: Number.POSITIVE_INFINITY }), nothing);
    assert.deepEqual(makeLogOptions({ stdout: true, stderr: true, tail: 3 }), {
      ...nothing,
      tail: 3,
      streams: ["stdout", "stderr"],
    });
  });
});
