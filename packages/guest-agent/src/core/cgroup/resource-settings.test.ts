import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LinuxResources } from "@husk/wire/kata";
import { decodeMessage, encodeMessage, type MessageInit } from "@husk/wire/protobuf";
import { constrainedResources } from "./constraints.ts";
import { resourceSettings } from "./resource-settings.ts";

const message = (init: MessageInit<LinuxResources>) =>
  decodeMessage(LinuxResources, encodeMessage(LinuxResources, init));

/** Files and texts; each text made for a file that says `current`. */
function settings(init: MessageInit<LinuxResources>, current = ""): string[] {
  return resourceSettings(message(init)).map(
    ({ file, text }) => `${file}=${typeof text === "string" ? text : text(current)}`,
  );
}

/** What brings a file that says `current` back. */
const restore = (init: MessageInit<LinuxResources>, current: string) =>
  resourceSettings(message(init)).map((setting) => setting.restore?.(current));

function refuses(init: MessageInit<LinuxResources>, pattern: RegExp): void {
  assert.throws(() => resourceSettings(message(init)), { name: "LimitError", message: pattern });
}

describe("limits as files of a cgroup", () => {
  it("are none without limits", () => {
    assert.deepEqual(settings({}), []);
    assert.deepEqual(settings({ CPU: {}, Memory: {}, Pids: {}, BlockIO: {} }), []);
  });

  it("of processor time", () => {
    assert.deepEqual(settings({ CPU: { Shares: 1024n } }), ["cpu.weight=39"]);
    assert.deepEqual(settings({ CPU: { Shares: 1n } }), ["cpu.weight=1"]);
    assert.deepEqual(settings({ CPU: { Shares: 1n << 40n } }), ["cpu.weight=10000"]);
    assert.deepEqual(settings({ CPU: { Quota: 50_000n } }), ["cpu.max=50000"]);
    assert.deepEqual(settings({ CPU: { Quota: -1n, Period: 20_000n } }), ["cpu.max=max 20000"]);
    assert.deepEqual(settings({ CPU: { Period: 20_000n } }, "7000 100000"), ["cpu.max=7000 20000"]);
    assert.deepEqual(settings({ CPU: { Cpus: "0-2,4", Mems: "0" } }), ["cpuset.cpus=0-2,4", "cpuset.mems=0"]);
    refuses({ CPU: { Cpus: "0;1" } }, /CPU.Cpus is "0;1"/);
    refuses({ CPU: { Quota: 999n } }, /CPU.Quota is 999: it must be at least 1000 µs/);
    refuses({ CPU: { Period: 1_000_001n } }, /CPU.Period is 1000001/);
    refuses({ CPU: { RealtimeRuntime: 1n } }, /CPU.RealtimeRuntime 1 .*not in cgroups of version 2/);
  });

  it("of processor time, as hyperstart's hosts say them", () => {
    const constraints = { CPUQuota: 50_000, CPUPeriod: 0, CPUShares: 2 };
    const given = resourceSettings(constrainedResources(constraints)).map(({ file, text }) => [file, text]);
    assert.deepEqual(given, [
      ["cpu.weight", "1"],
      ["cpu.max", "50000"],
    ]);
    const none = { CPUQuota: -1, CPUPeriod: 5, CPUShares: 0 };
    assert.deepEqual(resourceSettings(constrainedResources(none)), []);
  });

  it("of memory", () => {
    assert.deepEqual(settings({ Memory: { Limit: 64n, Reservation: 32n } }), [
      "memory.max=64",
      "memory.low=32",
    ]);
    assert.deepEqual(settings({ Memory: { Limit: 64n, Swap: 100n } }), [
      "memory.swap.max=36",
      "memory.max=64",
    ]);
    assert.deepEqual(settings({ Memory: { Limit: -1n } }), ["memory.swap.max=max", "memory.max=max"]);
    assert.deepEqual(settings({ Memory: { Swap: -1n } }), ["memory.swap.max=max"]);
    const old = { Kernel: 1n, KernelTCP: 1n, Swappiness: 60n, DisableOOMKiller: true };
    assert.deepEqual(settings({ Memory: old }), []);
    refuses({ Memory: { Limit: 64n, Swap: 63n } }, /Memory.Swap is 63: .*not below Memory.Limit 64/);
    refuses({ Memory: { Swap: 63n } }, /Memory.Swap is 63: it needs a Memory.Limit/);
    refuses({ Memory: { Limit: -2n } }, /Memory.Limit is -2/);
  });

  it("of processes and huge pages", () => {
    assert.deepEqual(settings({ Pids: { Limit: 50n } }), ["pids.max=50"]);
    assert.deepEqual(settings({ Pids: { Limit: -1n } }), ["pids.max=max"]);
    const HugepageLimits = [
      { Pagesize: "2MB", Limit: 0n },
      { Pagesize: "1GB", Limit: (1n << 64n) - 1n },
    ];
    assert.deepEqual(settings({ HugepageLimits }), ["hugetlb.2MB.max=0", "hugetlb.1GB.max=max"]);
    refuses({ HugepageLimits: [{ Pagesize: "../2MB", Limit: 0n }] }, /Pagesize is "..\/2MB"/);
  });

  it("of block devices", () => {
    const device = { Major: 8n, Minor: 16n };
    const BlockIO = {
      Weight: 1000,
      LeafWeight: 10,
      WeightDevice: [{ ...device, Weight: 10 }],
      ThrottleReadBpsDevice: [{ ...device, Rate: 1000n }],
      ThrottleWriteIOPSDevice: [{ ...device, Rate: 0n }],
    };
    assert.deepEqual(settings({ BlockIO }), [
      "io.weight=default 10000",
      "io.weight=8:16 1",
      "io.max=8:16 rbps=1000",
      "io.max=8:16 wiops=max",
    ]);
    refuses({ BlockIO: { Weight: 9 } }, /BlockIO.Weight is 9: it must be 10 to 1000/);
    const unknown = [{ Major: -1n, Minor: 0n, Rate: 1n }];
    refuses({ BlockIO: { ThrottleReadBpsDevice: unknown } }, /is for -1:0, which is no device/);
  });

  it("of one block device are brought back as they were, or to none", () => {
    const device = { Major: 8n, Minor: 1n };
    const rate = { BlockIO: { ThrottleReadBpsDevice: [{ ...device, Rate: 1n }] } };
    assert.deepEqual(restore(rate, "8:16 rbps=3\n8:1 rbps=5 wbps=max"), ["8:1 rbps=5 wbps=max"]);
    assert.deepEqual(restore(rate, "8:16 rbps=3"), ["8:1 rbps=max wbps=max riops=max wiops=max"]);
    const weight = { BlockIO: { Weight: 10, WeightDevice: [{ ...device, Weight: 10 }] } };
    assert.deepEqual(restore(weight, "default 70\n8:1 33"), ["default 70", "8:1 33"]);
    assert.deepEqual(restore(weight, "default 70"), ["default 70", "8:1 default"]);
  });
});
