import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import {
  createContainer,
  createPod,
  type DeviceInfo,
  deleteContainer,
  deletePod,
  type HypervisorConfig,
  runPod,
  startContainer,
  startPod,
  stopContainer,
} from "@husk/virtcontainers";
import { makeLoopDevice } from "./support/loop-device.ts";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const CONTAINER = { id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } };

describe("a device of a container", needsRoot, () => {
  it("is a disk for a block device of the host, and made anew in the guest for others", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    using loop = await makeLoopDevice(place, "disk", "from the host\n");
    using other = await makeLoopDevice(place, "other", "from the host\n");
    const { options, hypervisorConfig } = place;
    const deviceInfos: DeviceInfo[] = [
      { hostPath: loop.path, containerPath: "/dev/data", fileMode: 0o640, uid: 7, gid: 8 },
      { hostPath: "/dev/null", containerPath: "/dev/nothing" },
      { devType: "c", major: 1, minor: 5, containerPath: "/dev/nulls/many" },
      { devType: "p", containerPath: "/dev/pipe", fileMode: 0o600 },
    ];
    const mounts = [{ source: other.path, destination: "/dev/fixed", type: "bind", readOnly: true }];
    const containers = [{ ...CONTAINER, deviceInfos, mounts }];
    await runPod({ id: "pod", hypervisorConfig, containers }, options);
    const script = (text: string) => runScript(place, "pod", "c", text);
    assert.equal(await script("head -c 14 /dev/data; head -c 14 /dev/fixed"), "from the host\n".repeat(2));
    assert.equal(await script("stat -c '%F %a %u %g' /dev/data"), "block special file 640 7 8\n");
    assert.equal(await script("stat -c '%F %t:%T' /dev/nothing"), "character special file 1:3\n");
    assert.equal(await script("echo x > /dev/nothing; head -c 3 /dev/nulls/many | wc -c"), "3\n");
    assert.equal(await script("(echo through > /dev/pipe &) ; cat /dev/pipe"), "through\n");
    await script("echo FROM | dd of=/dev/data conv=fsync,notrunc bs=4 count=1 2>/dev/null");
    assert.match(await readFile(loop.file, "utf8"), /^FROM the host\n/);
    await assert.rejects(script("echo x > /dev/fixed"));
    await deletePod("pod", options);
  });

  for (const driver of ["virtio-blk", "virtio-scsi"] as const) {
    it(`comes and goes with its container: ${driver}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      using loop = await makeLoopDevice(place, "disk", "from the host\n");
      const { options } = place;
      const hypervisorConfig: HypervisorConfig = { ...place.hypervisorConfig, blockDeviceDriver: driver };
      await createPod({ id: "pod", hypervisorConfig }, options);
      await startPod("pod", options);
      const deviceInfos = [{ hostPath: loop.path, containerPath: "/dev/data" }];
      for (let round = 1; round <= 2; round++) {
        await createContainer("pod", { ...CONTAINER, deviceInfos }, options);
        assert.deepEqual(await disksOf(place), ["drive0", "drive1"]);
        await startContainer("pod", "c", options);
        assert.equal(await runScript(place, "pod", "c", "head -n 1 /dev/data"), "from the host\n");
        await stopContainer("pod", "c", options);
        await deleteContainer("pod", "c", options);
        assert.deepEqual(await disksOf(place), []);
      }
      await deletePod("pod", options);
    });
  }

  it("leaves nothing plugged in when its container cannot be created", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    using loop = await makeLoopDevice(place, "disk", "");
    const { options } = place;
    const hypervisorConfig = { ...place.hypervisorConfig, defaultBridges: 1 };
    await createPod({ id: "pod", hypervisorConfig }, options);
    await startPod("pod", options);
    // One slot: the root gets it, and the device does not.
    const deviceInfos = [{ hostPath: loop.path }];
    await assert.rejects(createContainer("pod", { ...CONTAINER, deviceInfos }, options), {
      code: "ERR_NO_DEVICE_SLOT",
    });
    assert.deepEqual(await disksOf(place), []);
    await createContainer("pod", CONTAINER, options);
    await deletePod("pod", options);
  });

  it("is refused where it cannot be had", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    using loop = await makeLoopDevice(place, "disk", "");
    const create = (info: DeviceInfo, changes: HypervisorConfig = {}) =>
      createPod(
        {
          id: "pod",
          hypervisorConfig: { ...place.hypervisorConfig, ...changes },
          containers: [{ ...CONTAINER, deviceInfos: [info] }],
        },
        place.options,
      );
    await assert.rejects(create({ hostPath: "/dev/none" }), { code: "ERR_DEVICE_MISSING" });
    await assert.rejects(create({ hostPath: "/dev/vfio/0" }), {
      code: "ERR_NOT_SUPPORTED",
      message: /IOMMU/,
    });
    const noDisks = { disableBlockDeviceUse: true };
    await assert.rejects(create({ hostPath: loop.path }, noDisks), { code: "ERR_NOT_SUPPORTED" });
  });
});

/** Ids of the disks that the pod's record names. */
async function disksOf(place: Workplace): Promise<string[]> {
  const record = JSON.parse(await readFile(join(place.root, "pods/pod/pod.json"), "utf8"));
  return record.drives.map(({ id }: { id: string }) => id);
}
