import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { vfioArguments, vfioDeviceOf } from "./qemu/vfio-device.ts";
import { readVfioGroup } from "./vfio.ts";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

/** A sysfs with an IOMMU, whose group 7 has these devices, each of a class. */
function makeSysfs(t: TestContext, devices: Record<string, string>): string {
  const sysfs = join(makeTempRoot(t).base, "sys");
  mkdirSync(join(sysfs, "kernel/iommu_groups/7/devices"), { recursive: true });
  mkdirSync(join(sysfs, "bus/mdev/devices"), { recursive: true });
  for (const [name, deviceClass] of Object.entries(devices)) {
    const folder = join(sysfs, "bus/pci/devices", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "class"), `${deviceClass}\n`);
    symlinkSync(folder, join(sysfs, "kernel/iommu_groups/7/devices", name));
  }
  return sysfs;
}

test("all functions of a group go to the VM, its bridges do not", (t) => {
  const sysfs = makeSysfs(t, {
    "0000:01:00.1": "0x040300",
    "0000:01:00.0": "0x030000",
    "0000:00:01.0": "0x060400",
  });
  const functions = readVfioGroup("7", sysfs);
  assert.deepEqual(functions, [
    { kind: "pci", address: "0000:01:00.0" },
    { kind: "pci", address: "0000:01:00.1" },
  ]);
  assert.deepEqual(vfioArguments(functions), [
    ...["-device", '{"driver":"vfio-pci","id":"vfio-0000-01-00-0","host":"0000:01:00.0"}'],
    ...["-device", '{"driver":"vfio-pci","id":"vfio-0000-01-00-1","host":"0000:01:00.1"}'],
  ]);
});

test("a mediated device is named by its folder", (t) => {
  const sysfs = makeSysfs(t, {});
  const path = join(sysfs, "devices/parent", UUID);
  mkdirSync(path, { recursive: true });
  symlinkSync(path, join(sysfs, "bus/mdev/devices", UUID));
  symlinkSync(path, join(sysfs, "kernel/iommu_groups/7/devices", UUID));
  const [mediated] = readVfioGroup("7", sysfs);
  assert.ok(mediated);
  assert.deepEqual(vfioDeviceOf(mediated, "10/00"), {
    driver: "vfio-pci",
    id: `vfio-${UUID}`,
    sysfsdev: path,
    bus: "slot1",
  });
});

test("a host without an IOMMU, a group that is not there and a strange device are refused", (t) => {
  const none = join(makeTempRoot(t).base, "none");
  assert.throws(() => readVfioGroup("7", none), { code: "ERR_NOT_SUPPORTED", message: /no IOMMU/ });
  const sysfs = makeSysfs(t, { "fe000000.ethernet": "0x0" });
  assert.throws(() => readVfioGroup("8", sysfs), { code: "ERR_ASSET_MISSING" });
  assert.throws(() => readVfioGroup("7", sysfs), { code: "ERR_NOT_SUPPORTED", message: /not PCI/ });
  assert.throws(() => readVfioGroup("../7", sysfs), { code: "ERR_CONFIG_INVALID" });
});
