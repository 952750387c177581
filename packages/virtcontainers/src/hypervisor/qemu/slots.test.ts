import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { allocateDiskAddress, allocateScsiAddress, allocateSlot, placeOf, slotArguments } from "./slots.ts";

const q35 = { machine: "q35", slots: 2 } as const;

test("the least free slot is taken, and one that was given back is taken again", () => {
  assert.equal(allocateSlot(q35, []), "0f/00");
  assert.equal(allocateSlot(q35, ["0f/00"]), "10/00");
  assert.equal(allocateSlot(q35, ["10/00"]), "0f/00");
  assert.throws(() => allocateSlot(q35, ["0f/00", "10/00"]), { code: "ERR_NO_DEVICE_SLOT" });
  assert.throws(() => allocateSlot({ machine: "microvm", slots: 0 }, []), { code: "ERR_NO_DEVICE_SLOT" });
});

test("the SCSI controller has 65,536 addresses", () => {
  assert.equal(allocateScsiAddress([]), "0:0");
  assert.equal(allocateScsiAddress(["0:0", "0:2"]), "0:1");
  const all = Array.from({ length: 65_536 }, (_, index) => `${index >> 8}:${index & 255}`);
  assert.equal(allocateScsiAddress(all.slice(0, 256)), "1:0");
  assert.equal(allocateScsiAddress(all.filter((address) => address !== "255:255")), "255:255");
  assert.throws(() => allocateScsiAddress(all), { code: "ERR_NO_DEVICE_SLOT" });
});

test("an address says where QEMU plugs the device in", () => {
  assert.deepEqual(placeOf("3:7"), { bus: "scsi0.0", "scsi-id": 3, lun: 7 });
  assert.deepEqual(placeOf("10/00"), { bus: "slot1" });
  assert.deepEqual(placeOf(allocateSlot({ machine: "pc", slots: 1 }, [])), { bus: "pci.0", addr: "0x0f" });
});

test("a q35's ports are where their addresses say; a pc needs none", () => {
  const ports = slotArguments(q35).filter((word) => word !== "-device");
  assert.deepEqual(
    ports.map((port) => JSON.parse(port)).map(({ id, addr }) => [id, addr]),
    [
      ["slot0", "0x0f"],
      ["slot1", "0x10"],
    ],
  );
  assert.deepEqual(slotArguments({ machine: "pc", slots: 2 }), []);
});

test("whatever comes and goes, no two devices ever share an address", () => {
  const driver = fc.constantFrom("virtio-blk" as const, "virtio-scsi" as const);
  fc.assert(
    fc.property(driver, fc.array(fc.nat({ max: 20 }), { maxLength: 60 }), (blockDriver, moves) => {
      const plan = { machine: "q35", slots: 16 } as const;
      const taken: string[] = [];
      for (const move of moves) {
        if (move < taken.length) taken.splice(move, 1);
        else if (taken.length < plan.slots) taken.push(allocateDiskAddress(blockDriver, plan, taken));
        assert.equal(new Set(taken).size, taken.length);
      }
    }),
  );
});
