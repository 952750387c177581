import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import {
  type ContainerConfig,
  createPod,
  deleteContainer,
  deletePod,
  listPod,
  type PodConfig,
  startPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
} from "@husk/virtcontainers";
import { eachPhase, makeDoomedCall } from "./support/doomed-call.ts";
import { findProcesses } from "./support/leaks.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "pod";
describe("a caller that is killed at any step", () => {
  it("of createPod leaves nothing, or a pod that is there", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    // With a share, which has a daemon of its own.
    const volumes = [{ mountTag: "tag", hostPath: place.folder }];
    const config = { ...podOf(place, ["first"]), volumes };
    // The first packs the root file system, which the others find packed.
    assert.equal(await makeDoomedCall(place, { calls: [["createPod", config]], dieAt: 0 }), "rootfs-packed");
    const { options } = place;
    await createPod(
      { ...podOf(place, ["first"]), id: "other", hypervisorType: "mock", agentType: "noop" },
      options,
    );
    await deletePod("other", options);
    const phases = await eachPhase(place, [["createPod", config]], async () => {
      // The next creation of any pod clears what is left.
      await createPod({ id: "other", hypervisorType: "mock", agentType: "noop" }, options);
      await deletePod("other", options);
      const pods = await listPod(options);
      assert.deepEqual(
        runningVms(place),
        pods.flatMap(({ hypervisorPid }) => hypervisorPid ?? []),
      );
      for (const { id } of pods) await deletePod(id, options);
      assert.deepEqual(findProcesses(place.root), []);
    });
    assert.ok(phases.includes("qemu-spawned") && phases.includes("pod-started"), phases.join());
    await startPod(POD, options);
    await deletePod(POD, options);
  });

  it("of startPod leaves a pod whose state is true, and that can be started", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await makeDoomedCall(place, { calls: [["createPod", podOf(place, ["first", "second"])]] });
    const start = ["startPod", POD] as const;
    // The first container has been started, the second has not.
    assert.equal(await makeDoomedCall(place, { calls: [start], dieAt: 2 }), "container-started");
    const { state, containersStatus } = await statusPod(POD, options);
    assert.deepEqual([state, ...containersStatus.map(({ state }) => state)], ["ready", "running", "ready"]);
    await makeDoomedCall(place, { calls: [start] });
    assert.equal((await statusPod(POD, options)).state, "running");
    await checkContainers(place);
    await deletePod(POD, options);
  });

  it("of startPod of a stopped pod leaves a pod whose state is true, and that can be started", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const volumes = [{ mountTag: "tag", hostPath: place.folder }];
    await createPod({ ...podOf(place, ["first"]), volumes }, options);
    await makeDoomedCall(place, { calls: [["stopPod", POD]] });
    const phases = await eachPhase(place, [["startPod", POD]], async () => {
      const { state } = await statusPod(POD, options);
      if (state !== "running") await makeDoomedCall(place, { calls: [["startPod", POD]] });
      const { hypervisorPid } = await statusPod(POD, options);
      assert.deepEqual(runningVms(place), [hypervisorPid]);
      await checkContainers(place);
      await makeDoomedCall(place, { calls: [["stopPod", POD]] });
    });
    assert.ok(phases.includes("pod-started"), phases.join());
    await deletePod(POD, options);
  });

  it("of createContainer leaves a pod that can get that container", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await makeDoomedCall(place, { calls: [["runPod", podOf(place, ["first"])]] });
    const rootFs = join(place.folder, "rootfs");
    await cp(DEMO_ROOTFS, rootFs, { recursive: true, verbatimSymlinks: true });
    const container = { ...containerOf("second"), rootFs };
    const phases = await eachPhase(place, [["createContainer", POD, container]], async () => {
      if (await hasContainer(place, "second")) await deleteContainer(POD, "second", options);
      await makeDoomedCall(place, { calls: [["createContainer", POD, container]] });
      await makeDoomedCall(place, { calls: [["startContainer", POD, "second"]] });
      await checkContainers(place);
      await stopContainer(POD, "second", options);
      await deleteContainer(POD, "second", options);
      // Another image, which needs a disk of its own.
      await writeFile(join(rootFs, "changed"), "");
    });
    assert.ok(phases.includes("disk-plugged"), phases.join());
    await deletePod(POD, options);
  });

  it("of startContainer leaves a container whose state is true", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await makeDoomedCall(place, { calls: [["runPod", podOf(place, ["first", "second"])]] });
    await stopContainer(POD, "second", options);
    const phases = await eachPhase(place, [["startContainer", POD, "second"]], async () => {
      const { state } = await statusContainer(POD, "second", options);
      await checkContainers(place);
      if (state !== "running") await makeDoomedCall(place, { calls: [["startContainer", POD, "second"]] });
      await checkContainers(place);
      await makeDoomedCall(place, { calls: [["stopContainer", POD, "second"]] });
    });
    assert.ok(phases.includes("container-started"), phases.join());
    await deletePod(POD, options);
  });

  it("of enterContainer leaves a container that can be entered", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await makeDoomedCall(place, { calls: [["runPod", podOf(place, ["first"])]] });
    const enter = ["enterContainer", POD, "first", { args: ["sleep", "1"] }] as const;
    const phases = await eachPhase(place, [enter], () => checkContainers(place));
    assert.ok(phases.includes("process-started"), phases.join());
    await deletePod(POD, place.options);
  });

  for (const call of ["stopPod", "deletePod"] as const) {
    it(`of ${call} leaves a pod whose state is true, and that can be stopped and deleted`, async ({
      signal,
    }) => {
      await using place = await Workplace.create(signal);
      const { options } = place;
      const run = ["runPod", podOf(place, ["first"])] as const;
      await makeDoomedCall(place, { calls: [run] });
      const phases = await eachPhase(place, [[call, POD]], async () => {
        const [pod] = await listPod(options);
        if (pod) {
          await stopPod(POD, options);
          assert.deepEqual(runningVms(place), []);
          await deletePod(POD, options);
        }
        await makeDoomedCall(place, { calls: [run] });
      });
      assert.ok(phases.includes("vm-ended"), phases.join());
      if (call === "stopPod") await deletePod(POD, options);
    });
  }
});

async function hasContainer(place: Workplace, containerId: string): Promise<boolean> {
  const { containersStatus } = await statusPod(POD, place.options);
  return containersStatus.some(({ id }) => id === containerId);
}

function containerOf(id: string): ContainerConfig {
  return { id, rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000", `${id.length}`] } };
}

function podOf({ hypervisorConfig }: Workplace, containers: readonly string[]): PodConfig {
  return {
    id: POD,
    hypervisorConfig: { ...hypervisorConfig, defaultBridges: 16 },
    containers: containers.map(containerOf),
  };
}

/** Process ids of the VMs of all pods of a place. */
function runningVms(place: Workplace): number[] {
  return findProcesses(place.root).flatMap(({ pid, command }) =>
    command.includes("qemu-system") ? [pid] : [],
  );
}

/** Checks that just those containers run in the guest that are said to, by a look from inside the first. */
async function checkContainers(place: Workplace): Promise<void> {
  const { containersStatus } = await statusPod(POD, place.options);
  const { status, stdout, stderr } = await place.husk(["exec", `${POD}/first`, "--", "ps", "-o", "args"]);
  assert.equal(status, 0, stderr);
  const there = stdout.toString().match(/^sleep 1000 .*/gm) ?? [];
  const said = containersStatus.flatMap(({ id, state }) =>
    state === "running" ? [`sleep 1000 ${id.length}`] : [],
  );
  assert.deepEqual(there.sort(), said.sort());
}
