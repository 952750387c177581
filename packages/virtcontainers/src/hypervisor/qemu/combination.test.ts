import assert from "node:assert/strict";
import { test } from "node:test";
import type { HypervisorConfig } from "../../types/index.ts";
import type { Nic } from "../types.ts";
import { checkCombination } from "./combination.ts";
import { planSlots } from "./plan.ts";

function check(
  config: HypervisorConfig,
  changes: Partial<Parameters<typeof checkCombination>[0]> = {},
): void {
  const empty = { vcpus: 2, ports: [], drives: [], shares: [], vfioDevices: [], nics: [] };
  checkCombination({ ...empty, ...changes, config }, planSlots(config), false);
}

const drives = Array.from({ length: 30 }, (_, index) => ({
  id: `d${index}`,
  imagePath: "/i",
  fstype: "erofs",
}));

test("a microvm has no PCI bus: what needs one is refused by name", () => {
  const microvm = { hypervisorMachineType: "microvm" } as const;
  check({ ...microvm, defaultBridges: 0 });
  assert.throws(() => check({ ...microvm, defaultBridges: 1 }), {
    code: "ERR_NOT_SUPPORTED",
    message: /defaultBridges/,
  });
  const vfioDevices = [{ kind: "pci", address: "0000:00:02.0" }] as const;
  assert.throws(() => check(microvm, { vfioDevices }), { code: "ERR_NOT_SUPPORTED" });
  check({}, { vfioDevices });
});

test("room for processors and memory that come later is refused where they cannot come", () => {
  check({ defaultMaxVCPUs: 4, memSlots: 1 });
  assert.throws(() => check({ defaultMaxVCPUs: 1 }), {
    code: "ERR_CONFIG_INVALID",
    message: /1 is less than the 2/,
  });
  const microvm = { hypervisorMachineType: "microvm" } as const;
  check({ ...microvm, defaultMaxVCPUs: 2, memSlots: 0 });
  for (const room of [{ defaultMaxVCPUs: 3 }, { memSlots: 1 }]) {
    assert.throws(() => check({ ...microvm, ...room }), { code: "ERR_NOT_SUPPORTED", message: /microvm/ });
  }
});

test("more devices than a bus has room for are refused before QEMU does", () => {
  check({ defaultBridges: 0 }, { drives });
  assert.throws(() => check({ defaultBridges: 1 }, { drives }), { code: "ERR_NO_DEVICE_SLOT" });
  const backend = { type: "user", portMappings: [] } as const;
  const nics: Nic[] = [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, backend }];
  assert.throws(() => check({ defaultBridges: 0 }, { drives, nics }), { code: "ERR_NO_DEVICE_SLOT" });
  check({ defaultBridges: 16, blockDeviceDriver: "virtio-scsi" }, { drives });
});

test("without block devices there can be no disk", () => {
  check({ disableBlockDeviceUse: true });
  assert.throws(() => check({ disableBlockDeviceUse: true }, { drives }), {
    code: "ERR_NOT_SUPPORTED",
    message: /disableBlockDeviceUse/,
  });
});
