import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import {
  type CreateOptions,
  deletePod,
  type FactoryConfig,
  openVmCache,
  type PodConfig,
  runPod,
  serveVmCache,
  startPod,
  statusPod,
  statusVmCache,
  stopPod,
  stopVmCache,
  type VmCacheStatus,
} from "@husk/virtcontainers";
import { CniMachine, needsPlugins } from "@husk/virtcontainers/testing/cni-machine";
import { writeBridgeNetwork } from "./support/cni-networks.ts";
import { IDENTITY } from "./support/identity.ts";
import { LateKeeper } from "./support/late-keeper.ts";
import { needsRoot } from "./support/needs-root.ts";
import { carryIn, carryOut, makePayload } from "./support/payload.ts";
import { DEMO_ROOTFS, RESIDENTS } from "./support/places.ts";
import { CONTAINER, FAMILIES, POD, residentPod } from "./support/resident-pod.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { makeTrafficRoot } from "./support/traffic-root.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const REST = { args: ["sleep", "1000000"] };

function podOf(place: Workplace, id: string, more: Partial<PodConfig> = {}): PodConfig {
  const { hypervisorConfig = {}, ...rest } = more;
  return {
    id,
    hypervisorConfig: { ...place.hypervisorConfig, defaultBridges: 4, ...hypervisorConfig },
    containers: [{ id, rootFs: DEMO_ROOTFS, cmd: REST }],
    ...rest,
  };
}

/** Runs a pod, and tells how that went. */
async function run(place: Workplace, config: PodConfig, source: CreateOptions) {
  const phases: string[] = [];
  const warnings: string[] = [];
  await runPod(config, {
    ...place.options,
    ...source,
    onPhase: ({ name }) => void phases.push(name),
    onWarning: ({ message }) => void warnings.push(message),
  });
  const isHit = phases.includes("vm-claimed") && !phases.includes("qemu-spawned");
  return { isHit, phases, warnings };
}

/** Runs a pod that must get a VM that waited. */
async function runHit(place: Workplace, config: PodConfig, source: CreateOptions): Promise<void> {
  const { isHit, warnings, phases } = await run(place, config, source);
  assert.deepEqual(warnings, []);
  assert.ok(isHit, phases.join());
}

/** Leaves nothing of an image's superblock but its magic number. */
function spoilErofs(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(124, 0xff), 0, 124, 1028);
  closeSync(file);
}

/** Hooks that write down when they were called, and the network namespace that they were told. */
function countingHooks(place: Workplace): NonNullable<PodConfig["hooks"]> {
  const hook = (moment: string) => {
    const script = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); echo ${moment} $(readlink /proc/$pid/ns/net) >>"$1"`;
    return { path: "/bin/sh", args: ["sh", "-c", script, "sh", join(place.folder, "moments")], timeout: 60 };
  };
  return { preStartHooks: [hook("pre")], postStartHooks: [hook("up")], postStopHooks: [hook("down")] };
}

const readMoments = (place: Workplace) =>
  readFileSync(join(place.folder, "moments"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));

const tiersOf = ({ vms }: VmCacheStatus) => vms.map(({ tier }) => tier).sort();

describe("a pod in a VM that waited", () => {
  for (const agentType of ["hyperstart", "kata"] as const) {
    it(`is one of its own, with the agent ${agentType}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const factory: FactoryConfig = { vmCacheNumber: 2 };
      const pods = ["one", "two"];
      const config = (id: string) => podOf(place, id, { agentType, networkModel: "user" });
      {
        await using cache = await serveVmCache(config("any"), factory, place.options);
        await cache.filled();
        const { vms } = await statusVmCache(factory, place.options);
        assert.deepEqual(
          vms.map(({ tier, leased, vcpus, memory }) => ({ tier, leased, vcpus, memory })),
          [1, 2].map(() => ({ tier: "rehearsed", leased: false, vcpus: 1, memory: 256 })),
        );
        for (const id of pods) {
          await runHit(place, config(id), { factory });
          const { hypervisorPid, state } = await statusPod(id, place.options);
          assert.ok(vms.some(({ pid }) => pid === hypervisorPid));
          assert.equal(state, "running");
        }
        const identities = await Promise.all(pods.map((id) => runScript(place, id, id, IDENTITY)));
        const lines = identities.map((text) => text.trim().split("\n"));
        assert.deepEqual(
          lines.map(([name]) => name),
          pods,
        );
        for (const index of [1, 2, 3, 4])
          assert.equal(new Set(lines.map((line) => line[index])).size, 2, lines.join());
        await stopVmCache(factory, place.options);
        await cache.closed;
        assert.equal(cache.status().claimed, 2);
      }
      // The pods have nothing more to do with who kept their VMs.
      for (const id of pods) {
        const late = Date.now() / 1000 - Number(await runScript(place, id, id, "date +%s"));
        assert.ok(Math.abs(late) < 30, `the clock of ${id} is ${late} s late`);
        assert.match(await runScript(place, id, id, "ip -4 address show eth0"), /inet 10\.0\.2\.15/);
        await deletePod(id, place.options);
      }
    });
  }

  it("has its own size and disks, and may be stopped and started", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const image = join(place.folder, "second.img");
    execFileSync("mkfs.erofs", [image, DEMO_ROOTFS], { stdio: "ignore" });
    const hypervisorConfig = { defaultMaxVCPUs: 3, memSlots: 2 };
    const limits = { cpu: { quota: 200_000, period: 100_000 }, memory: { limit: 128 * 2 ** 20 } };
    const config = podOf(place, "large", {
      agentType: "kata",
      hypervisorConfig,
      containers: [
        { id: "large", rootFs: DEMO_ROOTFS, cmd: REST, resources: limits },
        { id: "second", rootFs: image, cmd: REST },
      ],
    });
    await using vmCache = await openVmCache(config, { vmCacheNumber: 1 }, place.options);
    await vmCache.filled();
    await runHit(place, config, { vmCache });
    await vmCache.close();
    const { vcpus, memory } = await statusPod("large", place.options);
    assert.deepEqual({ vcpus, memory }, { vcpus: 3, memory: 384 });
    assert.equal(await runScript(place, "large", "large", "nproc"), "3\n");
    assert.match(await runScript(place, "large", "second", "ls /bin"), /busybox/);
    await stopPod("large", place.options);
    await startPod("large", place.options);
    assert.equal(await runScript(place, "large", "large", "hostname"), "large\n");
    await deletePod("large", place.options);
  });

  it("gets one of its own, with a warning, where none fits", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const factory: FactoryConfig = { vmCacheTiers: { paused: 1 } };
    const faults: string[] = [];
    const onWarning = ({ message }: Error) => void faults.push(message);
    await using cache = await serveVmCache(podOf(place, "any"), factory, { ...place.options, onWarning });
    await cache.filled();
    const words = { hypervisorConfig: { kernelParams: [{ key: "other", value: "1" }] } };
    const other = await run(place, podOf(place, "other", words), { factory });
    assert.match(other.warnings.join(), /"other" gets no VM that waited: .* the VMs are others/);
    const small = await run(place, podOf(place, "small", { vmConfig: { memory: 128 } }), { factory });
    assert.match(small.warnings.join(), /the VMs have 1 vCPUs, 256 MiB, and from 1 vCPUs, 128 MiB/);
    const volumes = [{ mountTag: "tag", hostPath: place.folder }];
    const sharing = await run(place, podOf(place, "sharing", { volumes }), { factory });
    assert.match(sharing.warnings.join(), /it shares directories/);
    assert.ok([other, small, sharing].every(({ isHit }) => !isHit));
    for (const id of ["other", "small", "sharing"]) {
      assert.equal(await runScript(place, id, id, "hostname"), `${id}\n`);
      await deletePod(id, place.options);
    }
    assert.deepEqual([cache.status().claimed, cache.status().vms.length], [0, 1]);
    // It was killed a moment ago, which nobody has seen yet.
    process.kill(cache.status().vms[0]?.pid ?? 0, "SIGKILL");
    const late = await run(place, podOf(place, "late"), { factory });
    if (!late.isHit) assert.match(late.warnings.join(), /"late" gets no VM that waited/);
    assert.equal(await runScript(place, "late", "late", "hostname"), "late\n");
    await deletePod("late", place.options);
    // Either it was handed out all the same, or somebody has seen it meanwhile; only then a new one may have been ready in time.
    const { claimed, lost } = cache.status();
    assert.deepEqual([claimed + lost, faults.length], [late.isHit ? 2 : 1, lost], faults.join());
  });

  it("gets one of its own, with a warning, where it comes too late for what it was handed", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    mkdirSync(place.root, { mode: 0o700 });
    const gone = join(place.root, "pods", `.new-${process.pid}-1-0123`);
    await using keeper = await LateKeeper.listen(join(place.root, "cache.sock"), gone);
    const factory = { vmCacheNumber: 1 };
    const { isHit, warnings, phases } = await run(place, podOf(place, "late"), { factory });
    assert.deepEqual([isHit, keeper.asked, warnings.length], [false, 1, 1]);
    assert.match(warnings.join(), /"late" gets no VM that waited: the VM that was handed out is gone/);
    assert.ok(phases.includes("qemu-spawned"), phases.join());
    assert.equal(await runScript(place, "late", "late", "hostname"), "late\n");
    await deletePod("late", place.options);
  });

  it("gets one of its own, with a warning, where it has no room in one that waited", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const image = join(place.folder, "0.img");
    execFileSync("mkfs.erofs", [image, DEMO_ROOTFS], { stdio: "ignore" });
    const ids = ["a", "b", "c"];
    for (const id of ids) copyFileSync(image, join(place.folder, `${id}.img`));
    const containers = ids.map((id) => ({ id, rootFs: join(place.folder, `${id}.img`), cmd: REST }));
    const hypervisorConfig = { defaultBridges: 1 };
    const config = podOf(place, "crowd", { hypervisorConfig, containers, hooks: countingHooks(place) });
    await using vmCache = await openVmCache(config, { vmCacheTiers: { paused: 1 } }, place.options);
    await vmCache.filled();
    const { warnings, phases } = await run(place, config, { vmCache });
    assert.match(warnings.join(), /"crowd" gets no VM that waited: /);
    assert.ok(phases.includes("vm-claimed") && phases.includes("qemu-spawned"), phases.join());
    for (const id of ids) assert.match(await runScript(place, "crowd", id, "ls /bin"), /busybox/);
    // They run once, however many VMs it took.
    assert.deepEqual(
      readMoments(place).map(([moment]) => moment),
      ["pre", "up"],
    );
    await deletePod("crowd", place.options);
    assert.deepEqual(
      readMoments(place).map(([moment]) => moment),
      ["pre", "up", "down"],
    );
  });

  it("may have waited without a rehearsal, where its guest cannot do what is rehearsed", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const faults: string[] = [];
    const cache = join(place.folder, "cache");
    const options = { ...place.options, cache, onWarning: ({ message }: Error) => void faults.push(message) };
    const open = () => openVmCache(podOf(place, "any"), { vmCacheNumber: 1 }, options);
    await using first = await open();
    await first.filled();
    assert.deepEqual(tiersOf(first.status()), ["rehearsed"]);
    await first.close();
    const [placeholder = ""] = readdirSync(cache).filter((name) => name.startsWith("placeholder-"));
    spoilErofs(join(cache, placeholder));
    await using second = await open();
    await second.filled();
    assert.deepEqual(tiersOf(second.status()), ["paused"], faults.join());
    assert.deepEqual(faults, ["VMs cannot be rehearsed here, and wait paused"]);
  });

  it("may have waited with the state of a template not loaded", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const factory: FactoryConfig = { ...templates.factory, vmCacheTiers: { prepared: 1, paused: 1 } };
    await using vmCache = await openVmCache(podOf(place, "any"), factory, place.options);
    await vmCache.filled();
    assert.deepEqual(tiersOf(vmCache.status()), ["paused", "prepared"]);
    for (const id of ["first", "second"]) await runHit(place, podOf(place, id), { vmCache });
    const pids = await Promise.all(
      ["first", "second"].map(async (id) => (await statusPod(id, place.options)).hypervisorPid),
    );
    assert.equal(new Set(pids).size, 2);
    await vmCache.filled();
    assert.deepEqual(tiersOf(vmCache.status()), ["paused", "prepared"]);
    for (const id of ["first", "second"]) {
      assert.equal(await runScript(place, id, id, "hostname"), `${id}\n`);
      await deletePod(id, place.options);
    }
  });
});

describe("a pod with a proxy and shims in a VM that waited", needsRoot, () => {
  for (const family of FAMILIES) {
    it(`works as any, with ${family.proxy}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const hypervisorConfig = { ...place.hypervisorConfig, defaultBridges: 2 };
      const config = residentPod(place, family, { ...REST, detach: true }, { hypervisorConfig });
      await using vmCache = await openVmCache(config, { vmCacheNumber: 1 }, place.options);
      await vmCache.filled();
      await runHit(place, config, { vmCache });
      assert.equal(await runScript(place, POD, CONTAINER, "hostname"), `${POD}\n`);
      await deletePod(POD, place.options);
    });
  }
});

describe("a pod with networks of its own in a VM that waited", needsPlugins, () => {
  it("has them, though its VM is in its keeper's network namespace", async (context) => {
    const machine = new CniMachine(context);
    writeBridgeNetwork(machine, "blue", 81);
    await using place = await Workplace.create(context.signal);
    const { path, program } = await makeTrafficRoot(place.folder);
    const config = podOf(place, POD, {
      hypervisorConfig: { tapHelperPath: join(RESIDENTS, "husk-tap") },
      networkModel: "CNI",
      networkConfig: { cni: { ...machine.cni, networks: ["blue"] } },
      containers: [{ id: CONTAINER, rootFs: path, cmd: REST }],
    });
    await using vmCache = await openVmCache(config, { vmCacheNumber: 1 }, place.options);
    await vmCache.filled();
    await runHit(place, config, { vmCache });
    const inside = { place, podId: POD, containerId: CONTAINER };
    const outside = { namespace: { path: `/run/netns/${machine.name}` }, program };
    const payload = makePayload(program, 2 ** 20);
    await carryOut(inside, outside, "10.81.0.1", payload);
    const address = (await statusPod(POD, place.options)).network?.interfaces[0]?.addresses[0] ?? "";
    await carryIn(inside, outside, address.split("/")[0] ?? "", payload);
    await deletePod(POD, place.options);
  });

  it("gets one of its own, with a warning, where they cannot be handed to one that waited", async (context) => {
    const machine = new CniMachine(context);
    writeBridgeNetwork(machine, "blue", 82);
    await using place = await Workplace.create(context.signal);
    const config = podOf(place, POD, {
      hypervisorConfig: { tapHelperPath: join(place.folder, "nowhere") },
      networkModel: "CNI",
      networkConfig: { cni: { ...machine.cni, networks: ["blue"] } },
      hooks: countingHooks(place),
    });
    await using vmCache = await openVmCache(config, { vmCacheTiers: { paused: 1 } }, place.options);
    await vmCache.filled();
    const { warnings, phases } = await run(place, config, { vmCache });
    assert.match(warnings.join(), /gets no VM that waited: the program that opens interfaces: .*nowhere/);
    assert.ok(phases.includes("vm-claimed") && phases.includes("qemu-spawned"), phases.join());
    assert.match(await runScript(place, POD, POD, "ip -4 address show eth0"), /inet 10\.82\./);
    // What hooks have done in its network namespace is where it is.
    const { hypervisorPid } = await statusPod(POD, place.options);
    const [pre, up, ...more] = readMoments(place);
    assert.deepEqual([pre?.[0], up?.[0], more], ["pre", "up", []]);
    assert.equal(pre?.[1], readlinkSync(`/proc/${hypervisorPid}/ns/net`));
    await deletePod(POD, place.options);
  });
});
