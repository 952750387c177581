import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe } from "node:test";
import {
  createContainer,
  createPod,
  deleteContainer,
  deletePod,
  enterContainer,
  type HypervisorConfig,
  startContainer,
  startPod,
  stopContainer,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"] };

/** Machines and drivers that take disks while they run; each PCI machine has one slot only. */
const MACHINES: HypervisorConfig[] = [
  { hypervisorMachineType: "q35", blockDeviceDriver: "virtio-blk", defaultBridges: 1 },
  { hypervisorMachineType: "q35", blockDeviceDriver: "virtio-scsi", defaultBridges: 0 },
  { hypervisorMachineType: "pc", blockDeviceDriver: "virtio-blk", defaultBridges: 1 },
  { hypervisorMachineType: "microvm", blockDeviceDriver: "virtio-scsi" },
];

describe("a disk of a running pod", () => {
  for (const machine of MACHINES) {
    const name = `${machine.hypervisorMachineType} with ${machine.blockDeviceDriver}`;
    it(`is plugged in and out, and its place used again: ${name}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { options } = place;
      const hypervisorConfig = { ...place.hypervisorConfig, ...machine };
      const first = { id: "first", rootFs: DEMO_ROOTFS, cmd: SLEEP };
      await createPod({ id: "plug", hypervisorConfig, containers: [first] }, options);
      await startPod("plug", options);
      const before = await drivesOf(place);
      const addresses = new Set<unknown>();
      for (const round of ["one", "two", "three"]) {
        const rootFs = await makeRootfs(place, round);
        await createContainer("plug", { id: round, rootFs, cmd: SLEEP }, options);
        await startContainer("plug", round, options);
        assert.equal(await readRound(place, round), `${round}\n`);
        addresses.add((await drivesOf(place)).at(-1)?.addr);
        await stopContainer("plug", round, options);
        await deleteContainer("plug", round, options);
        assert.deepEqual(await drivesOf(place), before, "the disk has gone with its container");
      }
      assert.equal(addresses.size, 1, `the same place each time: ${[...addresses].join(", ")}`);
      assert.ok(!addresses.has(undefined));
      await deletePod("plug", options);
    });
  }

  it("stays while another container uses it, and is refused without a free slot", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const hypervisorConfig = { ...place.hypervisorConfig, defaultBridges: 1 };
    await createPod({ id: "plug", hypervisorConfig }, options);
    await startPod("plug", options);
    const rootFs = await makeRootfs(place, "shared");
    for (const id of ["a", "b"]) await createContainer("plug", { id, rootFs, cmd: SLEEP }, options);
    const other = { id: "c", rootFs: await makeRootfs(place, "other"), cmd: SLEEP };
    await assert.rejects(createContainer("plug", other, options), { code: "ERR_NO_DEVICE_SLOT" });
    await deleteContainer("plug", "a", options);
    await assert.rejects(createContainer("plug", other, options), { code: "ERR_NO_DEVICE_SLOT" });
    await startContainer("plug", "b", options);
    assert.equal(await readRound(place, "b"), "shared\n");
    await stopContainer("plug", "b", options);
    await deleteContainer("plug", "b", options);
    await createContainer("plug", other, options);
    await deletePod("plug", options);
  });

  it("is refused where the machine takes none", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const hypervisorConfig = { ...place.hypervisorConfig, hypervisorMachineType: "microvm" } as const;
    await createPod({ id: "none", hypervisorConfig }, options);
    await startPod("none", options);
    const container = { id: "c", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    await assert.rejects(createContainer("none", container, options), { code: "ERR_NOT_SUPPORTED" });
    await deletePod("none", options);
  });
});

/** A copy of the demo's root that tells which one it is. */
async function makeRootfs(place: Workplace, round: string): Promise<string> {
  const rootfs = await place.copyRootfs(round);
  await writeFile(join(rootfs, "etc/round"), `${round}\n`);
  return rootfs;
}

async function readRound(place: Workplace, containerId: string): Promise<string> {
  const cmd = { args: ["/bin/cat", "/etc/round"] };
  const { process } = await enterContainer("plug", containerId, cmd, { ...place.options, attach: true });
  const [output] = await Promise.all([text(process.io.stdout), process.io.stderr?.resume()]);
  await process.io.wait();
  return output;
}

/** The disks that the pod's record names. */
async function drivesOf(place: Workplace): Promise<{ addr?: string }[]> {
  const record = JSON.parse(await readFile(join(place.root, "pods/plug/pod.json"), "utf8"));
  return record.drives;
}
