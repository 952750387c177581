import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  createContainer,
  createPod,
  deletePod,
  enterContainer,
  killContainer,
  type ProcessIo,
  runPod,
  startContainer,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
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
    const one = await runScript(place, "both", "one", script);
    const two = await runScript(place, "both", "two", script);
    assert.equal(one, two);
    assert.match(one, /^shared\nuts:\[\d+\]\nipc:\[\d+\]\npid:\[\d+\]\nnet:\[\d+\]\n2\n$/);
    await deletePod("both", options);
  });

  it("gives a process the capabilities that its command names, and no others", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const only = { id: "only", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    await createPod({ id: "confined", hypervisorConfig, containers: [only] }, options);
    await startPod("confined", options);
    const names = ["CAP_KILL", "CAP_NET_RAW"];
    const capabilities = { bounding: names, permitted: names, inheritable: names, ambient: ["CAP_KILL"] };
    const script = "grep -E '^Cap(Eff|Bnd)' /proc/self/status";
    const output = await runScript(place, "confined", "only", script, { user: "1000", capabilities });
    assert.equal(output, "CapEff:\t0000000000000020\nCapBnd:\t0000000000002020\n");
    const unknown = { args: ["true"], capabilities: { bounding: ["CAP_NONE"] } };
    await assert.rejects(
      enterContainer("confined", "only", unknown, options),
      /unknown capability "CAP_NONE"/,
    );
    await deletePod("confined", options);
  });

  it("takes a container while it runs", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const first = { id: "first", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    await createPod({ id: "grow", hypervisorConfig, containers: [first] }, options);
    await startPod("grow", options);
    await createContainer("grow", { id: "second", rootFs: DEMO_ROOTFS, cmd: SLEEP }, options);
    await startContainer("grow", "second", options);
    assert.equal(await runScript(place, "grow", "second", "hostname"), "grow\n");
    await deletePod("grow", options);
  });

  it("has its signals sent to a container's first process, or to all", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const script = "sleep 1000 & trap '' USR1; touch /tmp/ready; wait; exec sleep 2000";
    const cmd = { args: ["/bin/sh", "-c", script], envs: [{ var: "PATH", value: "/bin" }] };
    await runPod(
      { id: "sig", hypervisorConfig, containers: [{ id: "c", rootFs: DEMO_ROOTFS, cmd }] },
      options,
    );
    await runScript(place, "sig", "c", "until test -e /tmp/ready; do :; done");
    await killContainer("sig", "c", "SIGUSR1", false, options);
    assert.match(await runScript(place, "sig", "c", "ps -o args"), /^sleep 1000$/m);
    await killContainer("sig", "c", "SIGUSR1", true, options);
    await runScript(place, "sig", "c", "until ps -o args | grep -q '^sleep 2000'; do :; done");
    await killContainer("sig", "c", "SIGKILL", true, options);
    await deletePod("sig", options);
  });

  it("boots a fresh VM when it is started again", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const only = { id: "only", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    await createPod({ id: "again", hypervisorConfig, containers: [only] }, options);
    await startPod("again", options);
    const before = await statusPod("again", options);
    await runScript(place, "again", "only", "touch /tmp/old");
    await stopPod("again", options);
    assert.equal((await statusPod("again", options)).state, "stopped");
    await startPod("again", options);
    const after = await statusPod("again", options);
    assert.equal(after.state, "running");
    assert.notEqual(after.hypervisorPid, before.hypervisorPid);
    assert.equal(await runScript(place, "again", "only", "ls /tmp"), "");
    await deletePod("again", options);
  });

  it("has the CPUs and the memory of the hypervisor's defaults, where it says nothing itself", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const hypervisorConfig = { ...place.hypervisorConfig, defaultVCPUs: 2, defaultMemSz: 160 };
    const only = { id: "only", rootFs: DEMO_ROOTFS, cmd: SLEEP, readonlyRootfs: true };
    const config = { id: "sized", hypervisorConfig, vmConfig: { memory: 112 }, containers: [only] };
    const script = "nproc; sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo";
    await runPod(config, place.options);
    const own = (await runScript(place, "sized", "only", script)).split("\n").map(Number);
    await deletePod("sized", place.options);
    await runPod({ ...config, vmConfig: { vcpus: 1 } }, place.options);
    const others = (await runScript(place, "sized", "only", script)).split("\n").map(Number);
    await deletePod("sized", place.options);
    const [[cpus, memory], [otherCpus, otherMemory]] = [own, others];
    assert.deepEqual([cpus, otherCpus], [2, 1]);
    // The guest's kernel keeps some of it for itself.
    assert.ok(memory && memory < 112 * 1024 && memory > 64 * 1024, String(memory));
    assert.ok(otherMemory && otherMemory < 160 * 1024 && otherMemory > 112 * 1024, String(otherMemory));
  });

  it("is stopped when its guest's kernel has panicked", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { hypervisorConfig, options } = place;
    const only = { id: "only", rootFs: DEMO_ROOTFS, cmd: SLEEP };
    const pod = await createPod({ id: "panics", hypervisorConfig, containers: [only] }, options);
    const io = attach(pod.getContainer("only"));
    await startPod("panics", options);
    const lost = assert.rejects(io.wait(), { code: "ERR_VM_LOST", message: /sysrq/i });
    const crash = { args: ["/bin/sh", "-c", "echo c > /proc/sysrq-trigger"] };
    await enterContainer("panics", "only", crash, options);
    await lost;
    const { state, containersStatus } = await statusPod("panics", options);
    assert.deepEqual([state, containersStatus[0]?.state], ["stopped", "stopped"]);
    await deletePod("panics", options);
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
