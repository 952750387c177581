/** What becomes of containers of `husk-vm-runtime` when something is killed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe } from "node:test";
import { statusPod } from "@husk/virtcontainers";
import { makeAnnouncedQemu } from "./support/announced-qemu.ts";
import { killPart } from "./support/resident-pod.ts";
import { shell, specOf, VmRuntime } from "./support/vm-runtime.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const LOOP = "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done";

describe("a container of husk-vm-runtime, when something is killed:", () => {
  it("its shim: it ends with it", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const box = await runtime.runContainer("box", specOf(shell(LOOP)));
    await box.stdout.waitFor(/up\n/);
    killPart(await statusPod("box", place.options), "shim");
    await box.ended;
    await runtime.do("kill", "box", "9");
    assert.equal((await runtime.state("box")).status, "stopped");
    await runtime.do("delete", "box");
  });

  it("its VM: the shim says that it is lost", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const box = await runtime.runContainer("box", specOf(shell(LOOP)));
    await box.stdout.waitFor(/up\n/);
    killPart(await statusPod("box", place.options), "qemu");
    await box.ended;
    assert.match(JSON.stringify(runtime.exitOf("box")), /"lost"/);
    await runtime.do("kill", "box", "15");
    assert.equal((await runtime.state("box")).status, "stopped");
    await runtime.do("delete", "box");
  });

  it("its proxy: it goes on", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const box = await runtime.create("box", specOf(shell(LOOP)));
    killPart(await statusPod("box", place.options), "proxy");
    await runtime.do("start", "box");
    await box.stdout.waitFor(/up\n/);
    killPart(await statusPod("box", place.options), "proxy");
    await runtime.do("kill", "box", "TERM");
    await box.ended;
    assert.deepEqual(runtime.exitOf("box"), { exitCode: 4 });
    await runtime.do("delete", "box");
  });

  it("its guest does not answer: SIGKILL ends it all the same", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const box = await runtime.runContainer("box", specOf(shell(LOOP)));
    await box.stdout.waitFor(/up\n/);
    const { hypervisorPid = 0 } = await statusPod("box", place.options);
    process.kill(hypervisorPid, "SIGSTOP");
    await runtime.do("kill", "box", "9");
    await box.ended;
    await runtime.do("delete", "box");
  });

  it("who called its creation: that is undone", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const qemu = await makeAnnouncedQemu(place);
    const words = ["create", "--bundle", runtime.writeBundle(specOf(shell(LOOP))), "box"];
    const caller = runtime.startBy(["sh", "-c", '"$@" & wait', "sh"], words, qemu.env);
    await qemu.started();
    caller.child.kill("SIGKILL");
    // Its streams are closed when the creation has ended, too.
    await caller.ended;
    assert.match(runtime.takeErrors().join("\n"), /abort/i);
    assert.match(await runtime.fail("state", "box"), /there is no pod/);
  });

  for (const name of ["SIGTERM", "SIGKILL"] as const) {
    it(`its creation, by ${name}: nothing is left when it is deleted`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const runtime = new VmRuntime(place);
      const qemu = await makeAnnouncedQemu(place);
      const bundle = runtime.writeBundle(specOf(shell(LOOP)));
      const creating = runtime.start(["create", "--bundle", bundle, "box"], qemu.env);
      await qemu.started();
      creating.child.kill(name);
      if (creating.child.exitCode === null && creating.child.signalCode === null)
        await once(creating.child, "exit");
      assert.equal(creating.child.exitCode, name === "SIGTERM" ? 1 : null);
      if (name === "SIGTERM") assert.match(await runtime.fail("state", "box"), /there is no pod/);
      await runtime.do("delete", "--force", "box");
      const box = await runtime.runContainer("box", specOf(shell("echo again")));
      assert.equal((await box.ended).stdout.toString(), "again\n");
      await runtime.do("delete", "--force", "box");
    });
  }
});
