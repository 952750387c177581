import assert from "node:assert/strict";
import { describe } from "node:test";
import { makeAnnouncedQemu } from "./support/announced-qemu.ts";
import { findProcesses } from "./support/leaks.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const FOREGROUND = ["-i", "--", "sh", "-c", "echo up; cat"];

describe("pods of the command line", () => {
  it("stay listed after they ended, until they are removed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    assert.equal((await place.husk(["run", "--name", "job", "--", "sh", "-c", "exit 4"])).status, 4);
    assert.equal((await place.husk(["ps", "-q"])).stdout.toString(), "");
    const listed = await place.husk(["ps", "-a", "--json"]);
    const [pod, ...more] = JSON.parse(listed.stdout.toString());
    assert.equal(more.length, 0);
    assert.deepEqual([pod.id, pod.state, pod.containersStatus[0].exitCode], ["job", "stopped", 4]);
    assert.deepEqual(findProcesses(place.root), [], "a stopped pod has no process");
    const again = await place.husk(["run", "--name", "job", "--", "true"]);
    assert.equal(again.status, 125);
    assert.match(again.stderr, /\[ERR_POD_EXISTS\]/);
    assert.equal((await place.husk(["rm", "job"])).stdout.toString(), "job\n");
    assert.equal((await place.husk(["ps", "-aq"])).stdout.toString(), "");
  });

  it("are listed, stopped and removed from another terminal", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--name", "web", ...FOREGROUND]);
    await foreground.stdout.waitFor(/up/);
    const table = (await place.husk(["ps"])).stdout.toString();
    assert.match(
      table,
      /^NAME +STATUS +CREATED +VM PID +ACCEL +COMMAND\nweb +running +\d+ \w+ ago +\d+ +(tcg|kvm) +sh -c/,
    );
    const refused = await place.husk(["rm", "web"]);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /pod web is running \[ERR_STATE_INVALID\]\nhint: .*rm -f/);
    assert.equal((await place.husk(["stop", "web"])).stdout.toString(), "web\n");
    assert.notEqual((await foreground.ended).status, 0);
    assert.match((await place.husk(["ps", "-a"])).stdout.toString(), /^web +stopped/m);
    assert.equal((await place.husk(["rm", "web"])).status, 0);
  });

  it("are removed by force while they run", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--name", "web", ...FOREGROUND]);
    await foreground.stdout.waitFor(/up/);
    assert.equal((await place.husk(["rm", "-f", "web", "not-there"])).status, 0);
    assert.notEqual((await foreground.ended).status, 0);
    assert.equal((await place.husk(["ps", "-aq"])).stdout.toString(), "");
  });

  it("are told about one by one when some cannot be removed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await place.husk(["run", "--name", "job", "--", "true"]);
    const { status, stdout, stderr } = await place.husk(["rm", "nothing", "job"]);
    assert.deepEqual([status, stdout.toString()], [125, "job\n"]);
    assert.match(stderr, /\[ERR_POD_NOT_FOUND\]/);
  });

  it("outlive a husk that is killed, and can be used and removed by another", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--name", "web", ...FOREGROUND]);
    await foreground.stdout.waitFor(/up/);
    foreground.child.kill("SIGKILL");
    await foreground.ended;
    assert.match((await place.husk(["ps"])).stdout.toString(), /^web +running/m);
    const { status, stdout } = await place.husk(["exec", "web", "--", "hostname"]);
    assert.deepEqual([status, stdout.toString()], [0, "web\n"]);
    assert.equal((await place.husk(["rm", "-f", "web"])).status, 0);
  });

  it("leave nothing when husk is killed while it boots them, once the next has run", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const qemu = await makeAnnouncedQemu(place);
    const { child, ended } = place.start(["run", "--name", "web", ...FOREGROUND], qemu.env);
    await qemu.started();
    child.kill("SIGKILL");
    await ended;
    assert.equal((await place.husk(["run", "--rm", "--name", "web", "--", "true"])).status, 0);
  });

  it("of the same name are made by one only, when two want to", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const args = ["run", "--rm", "--name", "only", "-i", "--", "cat"];
    const both = [place.start(args), place.start(args)];
    const first = await Promise.race(both.map(({ ended }) => ended));
    assert.equal(first.status, 125);
    assert.match(first.stderr, /\[ERR_POD_EXISTS\]/);
    for (const { child } of both) child.stdin.end();
    const statuses = (await Promise.all(both.map(({ ended }) => ended))).map(({ status }) => status);
    assert.deepEqual(statuses.toSorted(), [0, 125]);
  });
});

describe("husk check", () => {
  it("finds this machine fit, which runs all these tests", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stdout } = await place.husk(["check"]);
    assert.equal(status, 0, stdout.toString());
    assert.match(stdout.toString(), /^✓ qemu-system-x86_64 +\/usr/m);
    const { fit, checks } = JSON.parse((await place.husk(["check", "--json"])).stdout.toString());
    assert.equal(fit, true);
    assert.ok(checks.some(({ name }: { name: string }) => name === "accelerator"));
  });

  it("says what is missing, and what to do", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stdout } = await place.huskWith({ HUSK_QEMU: "/nowhere/qemu" }, ["check"]);
    assert.equal(status, 1);
    assert.match(
      stdout.toString(),
      /^✗ qemu-system-x86_64 +\/nowhere\/qemu is not there.*\n +→ apt-get install/m,
    );
  });
});
