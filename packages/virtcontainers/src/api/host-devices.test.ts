import assert from "node:assert/strict";
import { test } from "node:test";
import type { VfioFunction } from "../hypervisor/vfio.ts";
import { createContainer, deleteContainer, runPod } from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import { Call } from "./call.ts";
import { hostDevicesOf, plugHostDevices, unplugUnusedHostDevices } from "./host-devices.ts";
import { withPod } from "./open-pod.ts";

const graphics: VfioFunction = { kind: "pci", address: "0000:01:00.0" };
const sound: VfioFunction = { kind: "pci", address: "0000:01:00.1" };

test("a device that several containers ask for is in the VM once", () => {
  assert.deepEqual(
    hostDevicesOf([
      { containerId: "a", vfio: [graphics, sound] },
      { containerId: "b", vfio: [graphics] },
      { containerId: "c", vfio: [] },
    ]),
    [
      { device: graphics, containerIds: ["a", "b"] },
      { device: sound, containerIds: ["a"] },
    ],
  );
});

test("devices are plugged into a running VM, and taken out with the last container that asked for them", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await runPod(config(), options);
  for (const id of ["c", "d"]) await createContainer("pod", container(id), options);
  const known = () =>
    withPod("pod", new Call(options), "shared", async ({ record }) =>
      record.hostDevices?.map(({ addr, containerIds }) => [addr, containerIds.join()]),
    );
  await withPod("pod", new Call(options), "exclusive", async (pod) => {
    await plugHostDevices(pod, { containerId: "c", vfio: [graphics, sound] });
    await plugHostDevices(pod, { containerId: "d", vfio: [graphics] });
    pod.save();
    await unplugUnusedHostDevices(pod);
  });
  assert.deepEqual(await known(), [
    ["0f/00", "c,d"],
    ["10/00", "c"],
  ]);
  await deleteContainer("pod", "c", options);
  assert.deepEqual(await known(), [["0f/00", "c,d"]]);
  await deleteContainer("pod", "d", options);
  assert.deepEqual(await known(), []);
});

test("a device that is refused is not noted as there", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config({}, "hotplugAddVfio"), options);
  await withPod("pod", new Call(options), "exclusive", async (pod) => {
    await assert.rejects(plugHostDevices(pod, { containerId: "a", vfio: [graphics] }), { code: "ERR_QMP" });
    assert.deepEqual(pod.record.hostDevices, []);
  });
});
