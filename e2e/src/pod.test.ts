import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  createContainer,
  createPod,
  deletePod,
  type ProcessIo,
  startContainer,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { runIn } from "./support/containers.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"] };

describe("a pod of the library", () => {
  it("has containers that share host name, IPC and processes, but not files", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const containers = ["one", "two"].map((id) => ({ id, rootFs: DEMO_ROOTFS, cmd: SLEEP }));
    const { hypervisorConfig, options } = place;
    await createPod({ id: "both", hostname: "shared", hypervisorConfig, containers }, options);
    await startPod("both", options);
    const script =
      "hostname; for kind in uts ipc pid net; do readlink /proc/self/ns/$kind; done; ls /tmp; touch /tmp/mine; " +
      "ps -o args | grep -c '^sleep'";
    const one = await runIn(place, "both", "one", script);
    const two = await runIn(place, "both", "two", script);
    assert.equal(one, two);
    assert.match(one, /^shared\nuts:\[\d+\]\nipc:\[\d+\]\npid:\[\d+\]\nnet:\[\d+\]\n2\n$/);
    await deletePod("both", options);
  });

  it("takes a container while it runs", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const first = { id: "first", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    await createPod({ id: "grow", hypervisorConfig, containers: [first] }, options);
    await startPod("grow", options);
    await createContainer("grow", { id: "second", rootFs: DEMO_ROOTFS, cmd: SLEEP }, options);
    await startContainer("grow", "second", options);
    assert.equal(await runIn(place, "grow", "second", "hostname"), "grow\n");
    await deletePod("grow", options);
  });

  it("boots a fresh VM when it is started again", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const only = { id: "only", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    await createPod({ id: "again", hypervisorConfig, containers: [only] }, options);
    await startPod("again", options);
    const before = await statusPod("again", options);
    await runIn(place, "again", "only", "touch /tmp/old");
    await stopPod("again", options);
    assert.equal((await statusPod("again", options)).state, "stopped");
    await startPod("again", options);
    const after = await statusPod("again", options);
    assert.equal(after.state, "running");
    assert.notEqual(after.hypervisorPid, before.hypervisorPid);
    assert.equal(await runIn(place, "again", "only", "ls /tmp"), "");
    await deletePod("again", options);
  });

  it("loses its containers' processes when its VM dies, and says so", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const only = { id: "only", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    const pod = await createPod({ id: "dies", hypervisorConfig, containers: [only] }, options);
    const io = attach(pod.getContainer("only"));
    await startPod("dies", options);
    const { hypervisorPid } = await statusPod("dies", options);
    assert.ok(hypervisorPid);
    const lost = assert.rejects(io.wait(), { code: "ERR_VM_LOST" });
    process.kill(hypervisorPid, "SIGKILL");
    await lost;
    assert.equal((await statusPod("dies", options)).state, "stopped");
    await deletePod("dies", options);
  });
});

function attach(container: { attach(): ProcessIo } | undefined): ProcessIo {
  assert.ok(container);
  return container.attach();
}
