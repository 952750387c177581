import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ContainerConfig,
  copyToContainer,
  createContainer,
  deletePod,
  type HypervisorConfig,
  pauseContainer,
  resumeContainer,
  runPod,
  startContainer,
  startPod,
  statsContainer,
  statsPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
  updateContainer,
  updatePod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { tellQemu } from "./support/tell-qemu.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const MIB = 1024 * 1024;
const ROOM: HypervisorConfig = { defaultMaxVCPUs: 3, memSlots: 3 };

/** A running pod `grow` with one container. */
async function startGrow(
  place: Workplace,
  changes: HypervisorConfig = ROOM,
  more: Partial<ContainerConfig> = {},
): Promise<void> {
  const hypervisorConfig = { ...place.hypervisorConfig, ...changes };
  const containers = [{ id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] }, ...more }];
  await runPod({ id: "grow", hypervisorConfig, containers }, place.options);
}

/** Processors and MiB of memory that a process sees which is started now. */
async function readMachine(place: Workplace): Promise<number[]> {
  const told = await runScript(place, "grow", "c", "nproc; awk '/MemTotal/ {print $2}' /proc/meminfo");
  const [count, memory] = told.split("\n");
  return [Number(count), Math.round(Number(memory) / 1024)];
}

describe("a VM that runs", () => {
  it("grows by processors and memory, and starts again with them", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place);
    const [before = 0, least = 0] = await readMachine(place);
    assert.equal(before, 1);
    await updatePod("grow", { vcpus: 3, memory: 512 }, options);
    const [vcpus, memory = 0] = await readMachine(place);
    assert.equal(vcpus, 3);
    assert.ok(memory - least > 230, `${least} MiB have become ${memory}`);
    const status = await statusPod("grow", options);
    assert.deepEqual([status.vcpus, status.memory], [3, 512]);
    await updatePod("grow", { memory: 600 }, options);
    assert.equal((await statusPod("grow", options)).memory, 640);
    await stopPod("grow", options);
    await startPod("grow", options);
    assert.equal((await readMachine(place))[0], 3);
    assert.equal((await statusPod("grow", options)).memory, 600);
    await deletePod("grow", options);
  });

  it("shares directories also through memory that came later", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const rootFs = await place.copyRootfs();
    await startGrow(place, { ...ROOM, sharedFS: "virtiofs" }, { rootFs, sharedRootfs: true });
    await updatePod("grow", { memory: 384 }, options);
    // The kernel takes the memory that came before that which it began with: from its own memory into the share and back.
    const script = "head -c 33554432 /dev/zero >/big; wc -c </big; cat /big | md5sum; rm /big";
    assert.match(await runScript(place, "grow", "c", script), /^33554432\n58f06dd588d8ffb3beb46ada6309436b /);
    await deletePod("grow", options);
  });

  it("is told as it is when the caller was killed that let it grow", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place);
    const cpu = { driver: "max-x86_64-cpu", id: "cpu-1", "socket-id": 0, "core-id": 1, "thread-id": 0 };
    await tellQemu(place, "grow", "device_add", cpu);
    const path = join(place.root, "pods/grow/pod.json");
    const record = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...record, pending: {} }));
    assert.equal((await statusPod("grow", options)).vcpus, 2);
    assert.equal((await readMachine(place))[0], 2);
    await deletePod("grow", options);
  });

  it("has no more than it was given room for, and tells so", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place, {});
    const warnings: string[] = [];
    await updatePod(
      "grow",
      { vcpus: 2, memory: 512 },
      { ...options, onWarning: ({ message }) => warnings.push(message) },
    );
    assert.match(warnings.join("\n"), /1 virtual CPUs at most.*\n.*no more than 0/);
    assert.deepEqual((await readMachine(place))[0], 1);
    await deletePod("grow", options);
  });
});

/** A tenth of a processor, 64 MiB, 20 processes. */
const SMALL = { cpu: { quota: 10_000, period: 100_000 }, memory: { limit: 64 * MIB }, pids: { limit: 20 } };
const BUSY = { args: ["sh", "-c", "while :; do :; done"], envs: [{ var: "PATH", value: "/bin" }] };

/** A running pod `grow` with the Kata agent, whose container `c` does what `more` says. */
async function startKata(place: Workplace, more: Partial<ContainerConfig> = {}): Promise<void> {
  const hypervisorConfig = { ...place.hypervisorConfig, ...ROOM };
  const containers = [{ id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] }, ...more }];
  await runPod({ id: "grow", agentType: "kata", hypervisorConfig, containers }, place.options);
}

/** What the container's own cgroup says. */
async function readLimits(place: Workplace, id = "c"): Promise<string[]> {
  const told = await runScript(place, "grow", id, "cd /sys/fs/cgroup; cat cpu.max memory.max pids.max");
  return told.trimEnd().split("\n");
}

/** Microseconds of processor time that the container gets in a second, which may take longer on a busy machine. */
async function measureSpeed({ options }: Workplace): Promise<number> {
  const before = await statsContainer("grow", "c", options);
  const began = performance.now();
  await delay(1000);
  const { cpu } = await statsContainer("grow", "c", options);
  return ((cpu.usageUs - before.cpu.usageUs) * 1000) / (performance.now() - began);
}

describe("a container's limits", () => {
  it("hold from its start, and the VM has what they allow beside its own", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await startKata(place, { resources: SMALL });
    assert.deepEqual(await readLimits(place), ["10000 100000", String(64 * MIB), "20"]);
    const { vcpus, memory } = await statusPod("grow", place.options);
    assert.deepEqual([vcpus, memory], [2, 320]);
    await deletePod("grow", place.options);
  });

  it("change what it gets while it runs, let the VM grow, and are there after a new start", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startKata(place, { cmd: BUSY });
    const free = await measureSpeed(place);
    await updateContainer("grow", "c", SMALL, options);
    const limited = await measureSpeed(place);
    assert.ok(limited > 0 && limited < free / 2, `${free} us of a second have become ${limited}`);
    assert.deepEqual(await readLimits(place), ["10000 100000", String(64 * MIB), "20"]);
    assert.equal((await readMachine(place))[0], 2);
    await updateContainer("grow", "c", { cpu: { quota: -1 }, pids: { limit: -1 } }, options);
    assert.deepEqual(await readLimits(place), ["max 100000", String(64 * MIB), "max"]);
    await stopPod("grow", options);
    await startPod("grow", options);
    assert.deepEqual(await readLimits(place), ["max 100000", String(64 * MIB), "max"]);
    await deletePod("grow", options);
  });

  it("come with a container that is created later", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startKata(place);
    const late = { id: "late", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] }, resources: SMALL };
    await createContainer("grow", late, options);
    await startContainer("grow", "late", options);
    assert.deepEqual(await readLimits(place, "late"), ["10000 100000", String(64 * MIB), "20"]);
    const { vcpus, memory } = await statusPod("grow", options);
    assert.deepEqual([vcpus, memory], [2, 384]);
    await deletePod("grow", options);
  });
});

describe("what containers use", () => {
  it("is told of each, together, and of the VM", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startKata(place, { cmd: BUSY, resources: { memory: { limit: 64 * MIB } } });
    const before = await statsPod("grow", options);
    await runScript(place, "grow", "c", "head -c 8388608 /dev/zero >/dev/shm/file");
    await delay(500);
    const now = await statsPod("grow", options);
    const { c } = now.containers;
    assert.ok(c && now.cpu.usageUs > before.cpu.usageUs + 100_000, JSON.stringify(now.cpu));
    assert.deepEqual([c.memory.limit, c.pids.current], [64 * MIB, 1]);
    assert.ok(c.memory.usage > 8 * MIB && c.memory.usage < 64 * MIB, JSON.stringify(c.memory));
    assert.ok(now.vm.cpuUs > before.vm.cpuUs && now.vm.rss > 32 * MIB, JSON.stringify(now.vm));
    const shown = await place.husk(["stats", "--no-stream", "grow"]);
    assert.match(shown.stdout.toString(), /^grow\/c +\d+\.\d +[\d.]+ MiB \/ 64 MiB +1 /m, shown.stderr);
    await deletePod("grow", options);
  });
});

describe("a paused container", () => {
  it("stands still while the others go on, and goes on or is stopped", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startKata(place, { cmd: BUSY });
    await createContainer(
      "grow",
      { id: "d", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } },
      options,
    );
    await startContainer("grow", "d", options);
    await pauseContainer("grow", "c", options);
    assert.equal(await measureSpeed(place), 0);
    assert.equal((await statusContainer("grow", "c", options)).state, "paused");
    assert.equal(await runScript(place, "grow", "d", "echo goes on"), "goes on\n");
    await resumeContainer("grow", "c", options);
    assert.ok((await measureSpeed(place)) > 10_000);
    const paused = await place.husk(["pause", "grow/c"]);
    assert.equal(paused.status, 0, paused.stderr);
    await stopContainer("grow", "c", options);
    assert.equal((await statusContainer("grow", "c", options)).state, "stopped");
    await pauseContainer("grow", "d", options);
    await stopPod("grow", options);
    await deletePod("grow", options);
  });
});

describe("a file", () => {
  it("is copied into a container, with its mode, and not through its links", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startKata(place);
    const source = join(place.folder, "payload");
    writeFileSync(source, "x".repeat(1_000_000), { mode: 0o640 });
    await copyToContainer("grow", "c", source, "/srv/data/", options);
    const told = await runScript(place, "grow", "c", "stat -c '%a %s' /srv/data/payload; ln -s / /srv/link");
    assert.equal(told, "640 1000000\n");
    await assert.rejects(copyToContainer("grow", "c", source, "/srv/link/x", options), {
      code: "ERR_AGENT_REFUSED",
    });
    const copied = await place.husk(["cp", source, "grow/c:/payload"]);
    assert.equal(copied.status, 0, copied.stderr);
    assert.equal(await runScript(place, "grow", "c", "wc -c </payload"), "1000000\n");
    await deletePod("grow", options);
  });
});
