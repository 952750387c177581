import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../test-support/bytes.ts";
import {
  parseExecCommand,
  parseKillContainer,
  parseRemoveContainer,
  parseSignalProcess,
  parseWindowSize,
} from "./requests.ts";

/** Every parser with a payload it takes, from which each key is required. */
const requests: [parse: (payload: Uint8Array) => object, valid: Record<string, unknown>][] = [
  [parseKillContainer, { container: "c1", signal: 0 }],
  [parseSignalProcess, { container: "c1", process: "init", signal: 64 }],
  [parseWindowSize, { container: "c1", process: "init", row: 0, column: 65535 }],
  [parseRemoveContainer, { container: "c1" }],
  [parseExecCommand, { container: "hyperstart", process: { id: "e1", stdio: 1, stderr: 2, args: ["a"] } }],
];

for (const [parse, valid] of requests) {
  test(`${parse.name} takes what is whole, and names what is missing`, () => {
    const parsed = parse(json({ ...valid, unknown: { key: 1 } }));
    assert.deepEqual(Object.keys(parsed), Object.keys(valid));
    assert.deepEqual(parse(json(parsed)), parsed);
    for (const key of Object.keys(valid)) {
      const expected = { code: "ERR_PAYLOAD", path: key, message: `${key}: is missing` };
      assert.throws(() => parse(json({ ...valid, [key]: undefined })), expected);
      assert.throws(() => parse(json({ ...valid, [key]: null })), expected);
      assert.throws(() => parse(json({ ...valid, [key]: [] })), { code: "ERR_PAYLOAD", path: key });
    }
    assert.throws(() => parse(json({ ...valid, container: "a/b" })), {
      path: "container",
      message: /letters/,
    });
    for (const nothing of ["", "null", "{}", '""']) {
      assert.throws(() => parse(new TextEncoder().encode(nothing)), {
        code: "ERR_PAYLOAD",
        path: "container",
      });
    }
  });
}

test("numbers keep to their ranges", () => {
  for (const signal of [-1, 65, 1.5, "9", true]) {
    assert.throws(() => parseKillContainer(json({ container: "c1", signal })), { path: "signal" });
    assert.throws(() => parseSignalProcess(json({ container: "c1", process: "p", signal })), {
      path: "signal",
    });
  }
  const size = { container: "c1", process: "p", row: 1, column: 1 };
  assert.throws(() => parseWindowSize(json({ ...size, row: 65536 })), { path: "row" });
  assert.throws(() => parseWindowSize(json({ ...size, column: -1 })), { path: "column" });
});

test("what only hosts of Clear Containers say is understood", () => {
  assert.deepEqual(parseWindowSize(json({ seq: 5, row: 24, column: 80 })), { seq: 5, row: 24, column: 80 });
  assert.throws(() => parseWindowSize(json({ seq: 0, row: 24, column: 80 })), { path: "seq" });
  const all = { container: "c1", signal: 9, allProcesses: true };
  assert.deepEqual(parseKillContainer(json(all)), all);
  const request = { container: "c1", process: { stdio: 7, stderr: 8, args: ["a"] } };
  assert.equal(parseExecCommand(json(request), false).process.id, "7");
  assert.throws(() => parseExecCommand(json(request)), { path: "process.id" });
});
