import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDiskAddress } from "./disk-address.ts";

test("a unit of a SCSI controller, and a way through PCI buses", () => {
  assert.deepEqual(parseDiskAddress("0:12"), { kind: "scsi", id: 0, lun: 12 });
  assert.deepEqual(parseDiskAddress("255:255"), { kind: "scsi", id: 255, lun: 255 });
  assert.deepEqual(parseDiskAddress("0f"), { kind: "pci", path: ["0f"] });
  assert.deepEqual(parseDiskAddress("02/1f.3"), { kind: "pci", path: ["02", "1f.3"] });
});

test("what is neither is refused: it would become a path", () => {
  for (const text of [
    "",
    ":",
    "0:",
    "1:2:3",
    "-1:0",
    "..",
    "../..",
    "0f/",
    "0f//00",
    "20",
    "0g",
    "00".repeat(9),
  ]) {
    assert.throws(() => parseDiskAddress(text), /is not the address of a disk/, text);
  }
  assert.throws(() => parseDiskAddress(Array(9).fill("00").join("/")), /is not the address/);
});
