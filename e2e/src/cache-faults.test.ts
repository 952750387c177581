import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  createPod,
  createTemplate,
  deletePod,
  type FactoryConfig,
  listPod,
  type PodConfig,
  runPod,
  serveVmCache,
  statusPod,
} from "@husk/virtcontainers";
import { makeAnnouncedQemu } from "./support/announced-qemu.ts";
import { CacheServer } from "./support/cache-server.ts";
import { eachPhase } from "./support/doomed-call.ts";
import { findProcesses } from "./support/leaks.ts";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const ASKER = join(import.meta.dirname, "support/cache-client-worker.ts");
const MEMORY = 128;
/** the same VM for `husk cache serve` as `podOf` has */
const ARGS = ["--memory", String(MEMORY)];
const FROM_CACHE: FactoryConfig = { vmCacheNumber: 1 };
/** the same of a server with --template */
const COPIES: FactoryConfig = { ...FROM_CACHE, template: true };

/** A pod with a container that rests. */
function podOf(place: Workplace, id: string): PodConfig {
  return {
    id,
    hypervisorConfig: { ...place.hypervisorConfig, defaultBridges: 4 },
    agentType: "hyperstart",
    vmConfig: { memory: MEMORY },
    containers: [{ id, rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000000"] } }],
  };
}

/** Process ids of the VMs of a test. */
function runningVms(place: Workplace): number[] {
  return findProcesses(place.root)
    .filter(({ command }) => command.includes("qemu-system"))
    .map(({ pid }) => pid);
}

/** Lets the next creation of a pod, which is any, clear what the dead have left. */
async function createAnyPod({ options }: Workplace): Promise<void> {
  await createPod({ id: "other", hypervisorType: "mock", agentType: "noop" }, options);
  await deletePod("other", options);
}

/** Runs a pod from the cache, and tells what it was warned of. */
async function runFromCache(place: Workplace, id: string, factory: FactoryConfig = FROM_CACHE) {
  const phases: string[] = [];
  const warnings: string[] = [];
  await runPod(podOf(place, id), {
    ...place.options,
    factory,
    onPhase: ({ name }) => void phases.push(name),
    onWarning: ({ message }) => void warnings.push(message),
  });
  return { hit: phases.includes("vm-claimed"), warnings };
}

/** Waits until the VMs that there are are those that a server tells of: the one that was taken is replaced in its own time. */
async function untilAllAreKnown(
  place: Workplace,
  server: CacheServer,
  signal: AbortSignal,
  phase: string,
): Promise<void> {
  for (;;) {
    const { vms } = await server.status();
    const [there, known] = [runningVms(place), vms.map(({ pid }) => pid)].map((pids) => pids.sort().join());
    if (there === known && vms.length > 0) return;
    assert.ok(!signal.aborted, `after ${phase}, ${there} run, and the server knows of ${known}`);
    await delay(50);
  }
}

describe("a server of VMs that wait", () => {
  it("leaves its VMs when it is killed, which the next server clears and tells", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using first = await CacheServer.ready(place, ["--tiers", "paused=2", "--template", ...ARGS]);
    await first.kill();
    const left = runningVms(place);
    assert.equal(left.length, 2);
    await using second = await CacheServer.ready(place, ["--tiers", "paused=1", "--template", ...ARGS]);
    assert.match(second.running.stdout.text(), /^cleared 2 VMs that dead processes had left\n/);
    assert.equal((await second.status()).cleared, 2);
    assert.deepEqual(
      runningVms(place).filter((pid) => left.includes(pid)),
      [],
    );
    assert.ok((await runFromCache(place, "pod", COPIES)).hit);
    await deletePod("pod", place.options);
  });

  it("leaves its VMs when it is killed, which the next pod clears; who has one keeps it", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    await using server = await CacheServer.ready(place, ["--tiers", "paused=1", "--template", ...ARGS]);
    assert.ok((await runFromCache(place, "pod", COPIES)).hit);
    await server.full();
    await server.kill();
    assert.equal(runningVms(place).length, 2);
    await createAnyPod(place);
    const [{ hypervisorPid } = {}] = await listPod(place.options);
    assert.deepEqual(runningVms(place), [hypervisorPid]);
    assert.equal(await runScript(place, "pod", "pod", "echo still there"), "still there\n");
    const { hit, warnings } = await runFromCache(place, "next");
    assert.deepEqual([hit, warnings.length], [false, 1], warnings.join());
    for (const id of ["pod", "next"]) await deletePod(id, place.options);
    // Else the next server does that.
    for (const name of ["cache.sock", "cache.sock.lock"]) rmSync(join(place.root, name));
  });

  it("is refused where there is another one", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using first = await CacheServer.ready(place, ["--tiers", "paused=1", ...ARGS]);
    const second = await place.husk(["cache", "serve", ...ARGS]);
    assert.equal(second.status, 125);
    assert.match(second.stderr, /\[ERR_CACHE_IN_USE\]\nhint: /);
    assert.equal((await first.status()).vms.length, 1);
    assert.ok((await runFromCache(place, "pod")).hit);
    await deletePod("pod", place.options);
  });

  it("ends in order while it makes a VM", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { env, started } = await makeAnnouncedQemu(place);
    const server = place.start(["cache", "serve", "--tiers", "paused=4", ...ARGS], env);
    await started();
    server.child.kill("SIGTERM");
    const { status, stdout, stderr } = await server.ended;
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout.toString(), /stopped\n$/);
    assert.deepEqual(runningVms(place), []);
  });

  it("replaces a VM that was killed while it waited, and says so", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using server = await CacheServer.ready(place, ["--tiers", "paused=2", "--template", ...ARGS]);
    const [victim, other] = (await server.status()).vms;
    assert.ok(victim && other);
    process.kill(victim.pid, "SIGKILL");
    await server.running.stderr.waitFor(/ERR_VM_LOST/);
    await server.full();
    const { vms, lost } = await server.status();
    assert.equal(lost, 1);
    assert.equal(vms.length, 2);
    assert.ok(vms.some(({ pid }) => pid === other.pid) && vms.every(({ pid }) => pid !== victim.pid));
  });

  it("has the VM of a caller that is killed before it has claimed it for the next", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using server = await CacheServer.ready(place, ["--tiers", "paused=1", ...ARGS]);
    const { key, vms: before } = await server.status();
    const socket = join(place.root, "cache.sock");
    const asker = place.startProgram(process.execPath, [ASKER, socket, key, `1,${MEMORY}`]);
    await asker.stdout.waitFor(/got/);
    assert.deepEqual(
      (await server.status()).vms.map(({ leased }) => leased),
      [true],
    );
    asker.child.kill("SIGKILL");
    await server.full();
    assert.equal((await server.status()).vms[0]?.pid, before[0]?.pid);
    assert.ok((await runFromCache(place, "pod")).hit);
    const { hypervisorPid } = await statusPod("pod", place.options);
    assert.equal(hypervisorPid, before[0]?.pid);
    await deletePod("pod", place.options);
    await asker.ended;
  });

  it("loses none to callers that are killed while they take one", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using server = await CacheServer.ready(place, ["--tiers", "paused=1", "--template", ...ARGS]);
    const phases = await eachPhase(
      place,
      [["runPod", podOf(place, "pod")]],
      async (phase) => {
        await createAnyPod(place);
        for (const { id } of await listPod(place.options)) await deletePod(id, place.options);
        await untilAllAreKnown(place, server, signal, phase);
      },
      [],
      { factory: COPIES },
    );
    assert.ok(phases.includes("vm-claimed") && phases.includes("container-started"), phases.join());
    await deletePod("pod", place.options);
  });
});

describe("VMs that wait as copies of a template", needsRoot, () => {
  it("are made when there is room again", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const small = join(place.folder, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", small]);
    try {
      const factory = { template: true, templatePath: small, vmCacheNumber: 1 };
      const waiting = Promise.withResolvers<void>();
      const faults: string[] = [];
      await using cache = await serveVmCache({ ...podOf(place, "base"), containers: [] }, factory, {
        ...place.options,
        onWaiting: () => waiting.resolve(),
        onWarning: ({ message }) => void faults.push(message),
      });
      await cache.filled();
      assert.match(cache.status().fault ?? "", /6[34] MiB free, and a template of this VM takes/);
      assert.ok(faults.length > 0 && cache.status().failures > 0);
      execFileSync("mount", ["-o", "remount,size=512m", small]);
      await waiting.promise;
      assert.deepEqual([cache.status().failures, cache.status().fault], [0, undefined]);
      assert.ok((await runFromCache(place, "pod", factory)).hit);
      await deletePod("pod", place.options);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  it("are made of another template when theirs is torn or foreign", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const factory = { ...templates.factory, vmCacheNumber: 1 };
    const base = { ...podOf(place, "base"), containers: [] };
    const { key } = await createTemplate(base, factory, place.options);
    for (const spoil of [
      () => truncateSync(join(templates.path, key, "memory"), 4096),
      () => writeFileSync(join(templates.path, key, "state"), "another VM's"),
      () => writeFileSync(join(templates.path, key, "template.json"), '{"key":'),
    ]) {
      spoil();
      await using cache = await serveVmCache(base, factory, place.options);
      await cache.filled();
      assert.equal(cache.status().fault, undefined);
      const { hit, warnings } = await runFromCache(place, "pod", factory);
      assert.deepEqual([hit, warnings], [true, []]);
      assert.equal(await runScript(place, "pod", "pod", "echo here"), "here\n");
      await deletePod("pod", place.options);
    }
    assert.deepEqual(
      readdirSync(templates.path).filter((name) => name.startsWith(".")),
      [],
    );
  });

  it("and whose memory was cut short meanwhile harm nobody", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const factory = { ...templates.factory, vmCacheNumber: 1 };
    await using cache = await serveVmCache(
      { ...podOf(place, "base"), containers: [] },
      factory,
      place.options,
    );
    await cache.filled();
    const [key] = readdirSync(templates.path).filter((name) => /^[0-9a-f]{32}$/.test(name));
    assert.ok(key);
    truncateSync(join(templates.path, key, "memory"), 4096);
    const { warnings } = await runFromCache(place, "pod", factory);
    assert.equal(await runScript(place, "pod", "pod", "echo here"), "here\n");
    assert.ok(warnings.length > 0);
    await deletePod("pod", place.options);
  });
});
