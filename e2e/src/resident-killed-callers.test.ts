import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  createPod,
  deletePod,
  listPod,
  processListContainer,
  startPod,
  statusPod,
  stopContainer,
  waitContainer,
} from "@husk/virtcontainers";
import { eachPhase, makeDoomedCall } from "./support/doomed-call.ts";
import { findProcesses } from "./support/leaks.ts";
import { CONTAINER, FAMILIES, POD, residentPod } from "./support/resident-pod.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"], detach: true };
const [hyperstart, kata] = FAMILIES;

describe("a caller that is killed while it makes a pod with proxy and shims", () => {
  it("leaves nothing, or a pod that is there", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const config = residentPod(place, hyperstart, SLEEP);
    const phases = await eachPhase(
      place,
      [["runPod", config]],
      async (phase) => {
        // The next creation of any pod clears what is left.
        await createPod({ id: "other", hypervisorType: "mock", agentType: "noop" }, options);
        await deletePod("other", options);
        for (const { id } of await listPod(options)) await deletePod(id, options);
        assert.deepEqual(findProcesses(place.root), [], phase);
      },
      // What comes before the VM is not changed by what stays beside it.
      ["rootfs-packed", "staged", "recorded", "named"],
    );
    for (const phase of ["proxy-started", "shim-started", "container-started"])
      assert.ok(phases.includes(phase), phases.join());
    await deletePod(POD, options);
  });

  it("while it starts one: the container has its shim, or has not been started", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const config = residentPod(place, kata, SLEEP);
    await createPod(config, options);
    const phases = await eachPhase(place, [["startPod", POD]], async (phase) => {
      const { state, containersStatus } = await statusPod(POD, options);
      const container = containersStatus[0];
      const isRight =
        container?.state === "running"
          ? container.pid > 0
          : ["ready", "stopped"].includes(container?.state ?? "");
      assert.ok(isRight, `${phase}: ${state}, ${JSON.stringify(container)}`);
      if (state === "ready") await startPod(POD, options);
      if (container?.state === "stopped") await deletePod(POD, options);
      else {
        await stopContainer(POD, CONTAINER, options);
        const { exitCode } = await waitContainer(POD, CONTAINER, options);
        assert.ok(exitCode === 143 || exitCode === 137, `${phase}: ${exitCode}`);
        await deletePod(POD, options);
      }
      assert.deepEqual(findProcesses(place.root), [], phase);
      await createPod(config, options);
    });
    assert.ok(phases.includes("shim-started"), phases.join());
    await deletePod(POD, options);
  });

  for (const call of ["stopPod", "deletePod"]) {
    it(`while it makes ${call}: the next one is done with it`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { options } = place;
      const run = ["runPod", residentPod(place, hyperstart, SLEEP)] as const;
      await eachPhase(place, [run, [call, POD]], async (phase) => {
        const isThere = (await listPod(options)).length > 0;
        if (isThere) await deletePod(POD, options);
        assert.deepEqual(findProcesses(place.root), [], phase);
      });
      if (call === "stopPod") await deletePod(POD, options);
    });
  }

  it("while it starts a detached command: pod and command go on", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await makeDoomedCall(place, { calls: [["runPod", residentPod(place, hyperstart, SLEEP)]] });
    const enter = ["enterContainer", POD, CONTAINER, { args: ["sleep", "2000"], detach: true }] as const;
    const skip = ["locked", "shim-started"];
    assert.equal(await makeDoomedCall(place, { calls: [enter], dieAt: 0, skip }), "process-started");
    const list = await processListContainer(POD, CONTAINER, { format: "table" }, options);
    assert.match(Buffer.from(list).toString(), /sleep 2000/);
    assert.equal((await statusPod(POD, options)).state, "running");
    await deletePod(POD, options);
  });
});
