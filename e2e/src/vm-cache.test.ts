import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import {
  type CreateOptions,
  deletePod,
  type FactoryConfig,
  openVmCache,
  type PodConfig,
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
import { needsRoot } from "./support/needs-root.ts";
import { carryIn, carryOut, makePayload } from "./support/payload.ts";
import { DEMO_ROOTFS, RESIDENTS } from "./support/places.ts";
import { podOf, REST, runWatched } from "./support/ready-made-vms.ts";
import { CONTAINER, FAMILIES, POD, residentPod } from "./support/resident-pod.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { makeTrafficRoot } from "./support/traffic-root.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** Runs a pod that must get a VM that waited. */
async function runHit(place: Workplace, config: PodConfig, source: CreateOptions): Promise<void> {
  const { isHit, warnings, phases } = await runWatched(place, config, source);
  assert.deepEqual(warnings, []);
  assert.ok(isHit, phases.join());
}

/** Leaves nothing of an image's superblock but its magic number. */
function spoilErofs(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(124, 0xff), 0, 124, 1028);
  closeSync(file);
}

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
});
