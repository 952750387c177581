import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, type TestContext } from "node:test";
import { createPod, deletePod, type HypervisorConfig, statusPod } from "@husk/virtcontainers";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const MEMORY_MIB = 128;
const MEMORY_KIB = MEMORY_MIB * 1024;
const HUGE_PAGES = "/proc/sys/vm/nr_hugepages";

describe("the guest's memory", () => {
  it("is taken as the guest uses it, or all at the start with memPrealloc", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const ordinary = await bootAndRead(place, {});
    const prealloc = await bootAndRead(place, { memPrealloc: true });
    assert.ok(prealloc.VmRSS - ordinary.VmRSS > 16 * 1024, `${prealloc.VmRSS} against ${ordinary.VmRSS} KiB`);
    assert.ok(prealloc.VmRSS > MEMORY_KIB);
  });

  it("is locked with realtime and mlock, and may be swapped out with realtime alone", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const locked = await bootAndRead(place, { realtime: true, mlock: true });
    assert.ok(locked.VmLck >= MEMORY_KIB, `${locked.VmLck} KiB are locked`);
    assert.ok(locked.VmLck < 5 * MEMORY_KIB, `${locked.VmLck} KiB are locked: far more than there is of use`);
    const swappable = await bootAndRead(place, { realtime: true, mlock: false });
    assert.equal(swappable.VmLck, 0);
    const mlockAlone = { ...place.hypervisorConfig, mlock: true };
    await assert.rejects(createPod({ id: "memory", hypervisorConfig: mlockAlone }, place.options), {
      code: "ERR_CONFIG_INVALID",
      message: /mlock/,
    });
  });

  it("comes from huge pages, and is refused where they are not free", async (test) => {
    await using place = await Workplace.create(test.signal);
    const pageKiB = readNumber("/proc/meminfo", "Hugepagesize");
    assert.ok(pageKiB > 0, "this kernel has huge pages");
    reserveHugePages(test, 0);
    const hypervisorConfig = { ...place.hypervisorConfig, hugePages: true };
    const config = { id: "memory", hypervisorConfig, vmConfig: { memory: MEMORY_MIB } };
    await assert.rejects(createPod(config, place.options), {
      code: "ERR_HOST_MEMORY",
      message: /huge pages/,
    });
    if (!reserveHugePages(test, MEMORY_KIB / pageKiB)) {
      test.skip("SKIPPED: this host lets no huge pages be reserved");
      return;
    }
    const { HugetlbPages } = await bootAndRead(place, { hugePages: true });
    assert.equal(HugetlbPages, MEMORY_KIB);
  });
});

/** Boots a pod and tells how much of its memory is where, in KiB. */
async function bootAndRead(place: Workplace, changes: HypervisorConfig) {
  const hypervisorConfig = { ...place.hypervisorConfig, ...changes };
  await createPod({ id: "memory", hypervisorConfig, vmConfig: { memory: MEMORY_MIB } }, place.options);
  const { hypervisorPid } = await statusPod("memory", place.options);
  const status = `/proc/${hypervisorPid}/status`;
  const [VmRSS, VmLck, HugetlbPages] = [
    readNumber(status, "VmRSS"),
    readNumber(status, "VmLck"),
    readNumber(status, "HugetlbPages"),
  ];
  await deletePod("memory", place.options);
  return { VmRSS, VmLck, HugetlbPages };
}

function readNumber(file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(file, "latin1"))?.[1]);
}

/** Asks the host for huge pages for the time of the test; whether it has them now. */
function reserveHugePages(test: TestContext, count: number): boolean {
  const before = readFileSync(HUGE_PAGES, "latin1");
  try {
    writeFileSync(HUGE_PAGES, String(count));
    test.after(() => writeFileSync(HUGE_PAGES, before));
  } catch {
    // Not ours to change.
  }
  return readNumber("/proc/meminfo", "HugePages_Free") === count;
}
