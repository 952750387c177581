import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { HuskError } from "../errors/index.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { type PodRecord, parseRecord, RECORD_VERSION, readRecord, writeRecord } from "./pod-record.ts";

const storage = { root: { drive: "rootfs0", fstype: "erofs" }, shared: [], mounts: [], devices: [] };
const record: PodRecord = {
  version: RECORD_VERSION,
  state: "running",
  createdAt: "2026-01-01T00:00:00.000Z",
  uuid: "00000000-0000-4000-8000-000000000000",
  creator: { pid: 1, startTime: "5" },
  config: { id: "p", containers: [{ id: "c", rootFs: "/r", cmd: { args: ["true"] } }] },
  containers: { c: { state: "running", startTime: "2026-01-01T00:00:01.000Z", storage } },
  drives: [{ id: "rootfs0", imagePath: "/i", fstype: "erofs" }],
  shares: [{ tag: "huskShared", kind: "virtiofs", daemon: { pid: 3, startTime: "7" } }],
  vm: { pid: 2, startTime: "6", accelerator: "tcg" },
};
const parse = (value: unknown) => parseRecord(JSON.stringify(value), "pod.json", "p");

test("a record comes back as it was written, and nobody else may read it", (t) => {
  const { base } = makeTempRoot(t);
  const path = join(base, "pod.json");
  writeRecord(path, record);
  writeRecord(path, { ...record, state: "stopped" });
  assert.deepEqual(readRecord(path, "p"), { ...record, state: "stopped" });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(base).sort(), ["pod.json", "rootfs"]);
});

test("a missing record is a missing pod", (t) => {
  assert.throws(() => readRecord(join(makeTempRoot(t).base, "none"), "p"), {
    code: "ERR_POD_NOT_FOUND",
    podId: "p",
  });
});

test("another version is told, whatever else is in it", () => {
  assert.throws(() => parse({ version: 99 }), {
    code: "ERR_STATE_VERSION",
    message: `the state of pod "p" has version 99, not ${RECORD_VERSION}`,
  });
});

test("a torn record is told at every length", (t) => {
  const path = join(makeTempRoot(t).base, "pod.json");
  const text = JSON.stringify(record);
  for (let length = 0; length < text.length; length += 7) {
    writeFileSync(path, text.slice(0, length));
    assert.throws(() => readRecord(path, "p"), { code: "ERR_STATE_CORRUPT", message: /pod\.json/ });
  }
});

test("a record that contradicts itself is told", () => {
  const bad = [
    { ...record, state: "dancing" },
    { ...record, uuid: 7 },
    { ...record, vm: { pid: -1, startTime: "1", accelerator: "tcg" } },
    { ...record, containers: {} },
    { ...record, containers: { d: { state: "running" } } },
    { ...record, containers: { c: { state: "up" } } },
    { ...record, drives: [null] },
    { ...record, config: { id: "q" } },
    { ...record, config: { ...record.config, extra: 1 } },
    { ...record, creator: undefined },
  ];
  for (const value of bad)
    assert.throws(() => parse(value), { code: "ERR_STATE_CORRUPT" }, JSON.stringify(value));
});

test("no change of any part gives anything but a HuskError", () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(record)), fc.jsonValue(), (key, value) => {
      try {
        parse({ ...record, [key]: value });
      } catch (error) {
        assert.ok(error instanceof HuskError, String(error));
      }
    }),
  );
});
