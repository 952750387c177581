import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  createContainer,
  createPod,
  deletePod,
  enterContainer,
  type PodStatus,
  pausePod,
  resumePod,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { tellQemu } from "./support/tell-qemu.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const states = ({ state, containersStatus }: PodStatus) => [state, ...containersStatus.map((c) => c.state)];

/** A running pod `ice` with one container that runs and one that was not started. */
async function startIce({ hypervisorConfig, options }: Workplace): Promise<void> {
  const sleeper = { id: "runs", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } };
  await createPod({ id: "ice", hypervisorConfig, vmConfig: { vcpus: 2 }, containers: [sleeper] }, options);
  await startPod("ice", options);
  await createContainer("ice", { ...sleeper, id: "waits" }, options);
}

describe("a paused pod", () => {
  it("stands still, refuses what needs its guest, and goes on where it was", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startIce(place);
    assert.equal(await runScript(place, "ice", "runs", "nproc"), "2\n", "vmConfig.vcpus");
    await pausePod("ice", options);
    assert.deepEqual(states(await statusPod("ice", options)), ["paused", "paused", "ready"]);
    const refused = { code: "ERR_STATE_INVALID", message: /is paused/ };
    await assert.rejects(enterContainer("ice", "runs", { args: ["true"] }, options), refused);
    // From another process, which has no session with the agent.
    const exec = await place.husk(["exec", "ice/runs", "--", "true"]);
    assert.match(exec.stderr, /is paused.*\[ERR_STATE_INVALID\]\nhint: .*husk resume/);
    const listed = await place.husk(["ps"]);
    assert.match(listed.stdout.toString(), /^ice +paused/m);
    await resumePod("ice", options);
    assert.deepEqual(states(await statusPod("ice", options)), ["running", "running", "ready"]);
    assert.match(await runScript(place, "ice", "runs", "ps -o args"), /^sleep 1000$/m);
    await deletePod("ice", options);
  });

  it("is stopped, and deleted", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startIce(place);
    await pausePod("ice", options);
    await stopPod("ice", options);
    assert.deepEqual(states(await statusPod("ice", options)), ["stopped", "stopped", "stopped"]);
    await startPod("ice", options);
    await pausePod("ice", options);
    await deletePod("ice", options);
  });

  it("is told as paused, or running, whoever stopped or continued QEMU", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startIce(place);
    await tellQemu(place, "ice", "stop");
    assert.deepEqual(states(await statusPod("ice", options)), ["paused", "paused", "ready"]);
    await resumePod("ice", options);
    await pausePod("ice", options);
    await tellQemu(place, "ice", "cont");
    assert.deepEqual(states(await statusPod("ice", options)), ["running", "running", "ready"]);
    assert.equal(await runScript(place, "ice", "runs", "echo goes on"), "goes on\n");
    await tellQemu(place, "ice", "stop");
    const { hypervisorPid } = await statusPod("ice", options);
    assert.ok(hypervisorPid);
    await deletePod("ice", options);
  });

  it("is stopped when its QEMU is killed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startIce(place);
    await pausePod("ice", options);
    const { hypervisorPid } = await statusPod("ice", options);
    process.kill(hypervisorPid ?? 0, "SIGKILL");
    await stopPod("ice", options);
    assert.deepEqual(states(await statusPod("ice", options)), ["stopped", "stopped", "stopped"]);
    await deletePod("ice", options);
  });
});
