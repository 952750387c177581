import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../test-support/bytes.ts";
import { parseListedPids, parseProcessList } from "./process-list.ts";

test("a request is a table of all unless it says otherwise", () => {
  const table = { container: "web", format: "table", psargs: [] };
  assert.deepEqual(parseProcessList(encode('{"container":"web"}')), table);
  assert.deepEqual(parseProcessList(encode('{"container":"web","format":"","psargs":null}')), table);
  assert.deepEqual(parseProcessList(encode('{"container":"web","format":"json","psargs":["-ef"]}')), {
    container: "web",
    format: "json",
    psargs: ["-ef"],
  });
});

test("what is not a request is refused by its field", () => {
  for (const [payload, text] of [
    ["{}", /^container: is missing$/],
    ['{"container":"../x"}', /^container: /],
    ['{"container":"web","format":"xml"}', /^format: must be "json" or "table"$/],
    ['{"container":"web","psargs":"-ef"}', /^psargs: must be an array/],
    ['{"container":"web","psargs":["a\\nb"]}', /^psargs\[0\]: must not contain control/],
  ] as const) {
    assert.throws(() => parseProcessList(encode(payload)), { name: "PayloadError", message: text });
  }
});

test("pids from the guest are checked", () => {
  assert.deepEqual(parseListedPids(encode("[2,3,4194304]")), [2, 3, 4194304]);
  assert.deepEqual(parseListedPids(encode("[]")), []);
  for (const bad of [
    "",
    "{}",
    "[0]",
    "[-1]",
    "[1.5]",
    '["1"]',
    "[4194305]",
    "[1",
    `[${"1,".repeat(20000)}1]`,
  ]) {
    assert.throws(() => parseListedPids(encode(bad)), { name: "PayloadError" }, bad);
  }
});
