import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../test-support/bytes.ts";
import { encodeProcessAsyncEvent, parseProcessAsyncEvent } from "./process-event.ts";

const valid = { container: "c1", process: "init", event: "finished", status: 137 } as const;

test("the event has its golden text", () => {
  const text = '{"container":"c1","process":"init","event":"finished","status":137}';
  assert.equal(encodeProcessAsyncEvent("c1", "init", 137), text);
  assert.deepEqual(parseProcessAsyncEvent(new TextEncoder().encode(text)), valid);
});

test("a hostile guest's event is refused", () => {
  for (const [changes, path] of [
    [{ container: "../c1" }, "container"],
    [{ container: undefined }, "container"],
    [{ process: "a\x1b[2J" }, "process"],
    [{ process: "" }, "process"],
    [{ event: "info" }, "event"],
    [{ event: ["finished"] }, "event"],
    [{ status: 256 }, "status"],
    [{ status: -1 }, "status"],
    [{ status: "0" }, "status"],
    [{ status: null }, "status"],
    [{ more: "x".repeat(5000) }, ""],
  ] as const) {
    assert.throws(() => parseProcessAsyncEvent(json({ ...valid, ...changes })), {
      code: "ERR_PAYLOAD",
      path,
    });
  }
});

test("the longest honest event fits", () => {
  const text = encodeProcessAsyncEvent("c".repeat(64), "\\".repeat(128), 255);
  assert.equal(parseProcessAsyncEvent(new TextEncoder().encode(text)).process.length, 128);
});
