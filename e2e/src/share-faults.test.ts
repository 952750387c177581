import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createContainer,
  deletePod,
  type HypervisorConfig,
  runPod,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { makeAnnouncedQemu } from "./support/announced-qemu.ts";
import { findProcesses } from "./support/leaks.ts";
import { untilDead } from "./support/module/until.ts";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"] };
/** Milliseconds in which what is waited for is there, unless it hangs. */
const HANG_MS = 120_000;

describe("a pod with shares", needsRoot, () => {
  it("keeps nothing when its VM is killed, and starts again", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const data = await runSharing(place);
    const { hypervisorPid } = await statusPod("pod", place.options);
    assert.ok(hypervisorPid);
    process.kill(hypervisorPid, "SIGKILL");
    await until(() => findProcesses(place.root).length === 0, "the daemons end with the VM");
    assert.equal((await statusPod("pod", place.options)).state, "stopped");
    await startPod("pod", place.options);
    assert.equal(await runScript(place, "pod", "c", "cat /data/file"), "content\n");
    await deletePod("pod", place.options);
    assert.deepEqual(await readdir(data), ["file"]);
  });

  it("says so when the daemon of its share is killed, and can be stopped and started", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const data = await runSharing(place);
    const [daemon] = findDaemons(place);
    assert.ok(daemon);
    process.kill(daemon, "SIGKILL");
    await untilDead(daemon);
    const mounts = [{ source: data, destination: "/data", type: "bind" }];
    const late = { id: "late", rootFs: DEMO_ROOTFS, cmd: SLEEP, mounts };
    await assert.rejects(createContainer("pod", late, place.options), { code: "ERR_SHARE_LOST" });
    await stopPod("pod", place.options);
    assert.deepEqual(findProcesses(place.root), []);
    await startPod("pod", place.options);
    assert.equal(await runScript(place, "pod", "c", "cat /data/file"), "content\n");
    await deletePod("pod", place.options);
    assert.deepEqual(await readdir(data), ["file"]);
  });

  it("lives on when its caller is killed, and goes with rm -f", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const data = await makeData(place);
    const script = "date > /data/now; echo up; while :; do date > /data/now; sleep 0.1; done";
    const args = ["run", "--name", "pod", "-v", `${data}:/data`, "--", "sh", "-c", script];
    const caller = place.start(args);
    await caller.stdout.waitFor(/up/);
    caller.child.kill("SIGKILL");
    await caller.ended;
    const before = await readFile(join(data, "now"), "utf8");
    await until(async () => (await readFile(join(data, "now"), "utf8")) !== before, "the container goes on");
    assert.equal((await place.husk(["rm", "-f", "pod"])).status, 0);
    assert.deepEqual((await readdir(data)).sort(), ["file", "now"]);
  });

  it("is cleared away when its creator is killed while it boots", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const data = await makeData(place);
    const qemu = await makeAnnouncedQemu(place);
    const args = ["run", "--name", "pod", "-v", `${data}:/data`, "--", "true"];
    const creator = place.start(args, qemu.env);
    await qemu.started();
    await until(() => findDaemons(place).length > 0, "the daemon");
    creator.child.kill("SIGKILL");
    await creator.ended;
    // Whether the pod had its name already or not, the next creation finds what is left.
    const { status, stderr } = await place.husk(["run", "--rm", "--name", "next", "--", "true"]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(findDaemons(place), []);
    assert.deepEqual(await readdir(data), ["file"]);
  });

  it("is not made when its VM does not start", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const hypervisorParams = [{ key: "no-such-option" }];
    await assert.rejects(runSharing(place, { hypervisorParams }), {
      code: "ERR_QEMU_START",
      message: /no-such-option/,
    });
    assert.deepEqual(findProcesses(place.root), []);
  });
});

/** Runs a pod that shares a directory in both ways; gives the directory. */
async function runSharing(place: Workplace, changes: HypervisorConfig = {}): Promise<string> {
  const data = await makeData(place);
  const hypervisorConfig = { ...place.hypervisorConfig, ...changes };
  const volumes = [{ mountTag: "data", hostPath: data }];
  const mounts = [
    { source: data, destination: "/data", type: "bind" },
    { source: "data", destination: "/volume", type: "volume" },
  ];
  const containers = [{ id: "c", rootFs: DEMO_ROOTFS, cmd: SLEEP, mounts }];
  await runPod({ id: "pod", hypervisorConfig, volumes, containers }, place.options);
  assert.equal(await runScript(place, "pod", "c", "cat /data/file"), "content\n");
  return data;
}

async function makeData(place: Workplace): Promise<string> {
  const data = join(place.folder, "data");
  await mkdir(data);
  await writeFile(join(data, "file"), "content\n");
  return data;
}

/** Process ids of the daemons of this test's pods. */
function findDaemons(place: Workplace): number[] {
  return findProcesses(place.root).flatMap(({ pid, command }) => (command.includes("virtiofsd") ? pid : []));
}

/** Nobody tells of what other processes do. */
async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + HANG_MS;
  while (!(await isTrue())) {
    if (performance.now() > end) {
      assert.fail(`waited in vain: ${what}\n${execFileSync("ps", ["ax"])}`);
    }
    await sleep(20);
  }
}
