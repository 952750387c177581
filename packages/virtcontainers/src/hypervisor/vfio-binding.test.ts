import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bindToVfio, returnFromVfio } from "./vfio-binding.ts";

const ADDRESS = "0000:03:00.0";

/** A sysfs with one PCI device that a driver has; files take what is written to them, and do nothing. */
function makeSysfs(test: TestContext, driver = "e1000e") {
  const base = mkdtempSync(join(tmpdir(), "husk-sysfs-"));
  test.after(() => rmSync(base, { recursive: true }));
  const device = join(base, "bus/pci/devices", ADDRESS);
  mkdirSync(join(device, "iommu_group"), { recursive: true });
  for (const name of [driver, "vfio-pci"])
    mkdirSync(join(base, "bus/pci/drivers", name), { recursive: true });
  symlinkSync(`../../drivers/${driver}`, join(device, "driver"));
  writeFileSync(join(device, "driver_override"), "(null)\n");
  const read = (path: string) => readFileSync(join(base, "bus/pci", path), "latin1");
  return { base, device, read };
}

test("a device is taken from its driver, and given to that for VMs", (t) => {
  const { base, read } = makeSysfs(t);
  assert.deepEqual(bindToVfio(ADDRESS, base), { kind: "pci", address: ADDRESS });
  assert.equal(read(`devices/${ADDRESS}/driver_override`), "vfio-pci\n");
  assert.equal(read("drivers/e1000e/unbind"), ADDRESS);
  assert.equal(read("drivers_probe"), ADDRESS);
});

test("a device that was taken is given back to whichever driver fits", (t) => {
  const { base, device, read } = makeSysfs(t, "vfio-pci");
  returnFromVfio(ADDRESS, base);
  assert.throws(() => read("drivers_probe"), { code: "ENOENT" });
  writeFileSync(join(device, "driver_override"), "vfio-pci\n");
  returnFromVfio(ADDRESS, base);
  assert.equal(read(`devices/${ADDRESS}/driver_override`), "\n");
  assert.equal(read("drivers/vfio-pci/unbind"), ADDRESS);
  assert.equal(read("drivers_probe"), ADDRESS);
  returnFromVfio("0000:04:00.0", base);
});

test("a host that cannot give devices to VMs says why", (t) => {
  const { base, device } = makeSysfs(t);
  rmSync(join(base, "bus/pci/drivers/vfio-pci"), { recursive: true });
  const code = "ERR_NOT_SUPPORTED";
  assert.throws(() => bindToVfio(ADDRESS, base), { code, message: /0000:03:00\.0 .* no driver vfio-pci$/ });
  rmSync(join(device, "iommu_group"), { recursive: true });
  assert.throws(() => bindToVfio(ADDRESS, base), { code, message: /no IOMMU$/ });
  assert.throws(() => bindToVfio("0000:05:00.0", base), { code: "ERR_DEVICE_MISSING" });
  assert.throws(() => bindToVfio("../../../etc", base), { code: "ERR_DEVICE_MISSING" });
  assert.equal(readFileSync(join(device, "driver_override"), "latin1"), "(null)\n");
});
