import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { deletePod, type FactoryConfig, openVmCache, serveVmCache, statusPod } from "@husk/virtcontainers";
import { CniMachine, needsPlugins } from "@husk/virtcontainers/testing/cni-machine";
import { writeBridgeNetwork } from "./support/cni-networks.ts";
import { LateKeeper } from "./support/late-keeper.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { countingHooks, podOf, REST, runWatched } from "./support/ready-made-vms.ts";
import { POD } from "./support/resident-pod.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const readMoments = (place: Workplace) =>
  readFileSync(join(place.folder, "moments"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));

describe("a pod that gets no VM that waited", () => {
  it("has one of its own, and a warning, where none fits", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const factory: FactoryConfig = { vmCacheTiers: { paused: 1 } };
    const faults: string[] = [];
    const onWarning = ({ message }: Error) => void faults.push(message);
    await using cache = await serveVmCache(podOf(place, "any"), factory, { ...place.options, onWarning });
    await cache.filled();
    const words = { hypervisorConfig: { kernelParams: [{ key: "other", value: "1" }] } };
    const other = await runWatched(place, podOf(place, "other", words), { factory });
    assert.match(other.warnings.join(), /"other" gets no VM that waited: .* the VMs are others/);
    const small = await runWatched(place, podOf(place, "small", { vmConfig: { memory: 128 } }), { factory });
    assert.match(small.warnings.join(), /the VMs have 1 vCPUs, 256 MiB, and from 1 vCPUs, 128 MiB/);
    const volumes = [{ mountTag: "tag", hostPath: place.folder }];
    const sharing = await runWatched(place, podOf(place, "sharing", { volumes }), { factory });
    assert.match(sharing.warnings.join(), /it shares directories/);
    assert.ok([other, small, sharing].every(({ isHit }) => !isHit));
    for (const id of ["other", "small", "sharing"]) {
      assert.equal(await runScript(place, id, id, "hostname"), `${id}\n`);
      await deletePod(id, place.options);
    }
    assert.deepEqual([cache.status().claimed, cache.status().vms.length], [0, 1]);
    // It was killed a moment ago, which nobody has seen yet.
    process.kill(cache.status().vms[0]?.pid ?? 0, "SIGKILL");
    const late = await runWatched(place, podOf(place, "late"), { factory });
    if (!late.isHit) assert.match(late.warnings.join(), /"late" gets no VM that waited/);
    assert.equal(await runScript(place, "late", "late", "hostname"), "late\n");
    await deletePod("late", place.options);
    // Either it was handed out all the same, or somebody has seen it meanwhile; only then a new one may have been ready in time.
    const { claimed, lost } = cache.status();
    assert.deepEqual([claimed + lost, faults.length], [late.isHit ? 2 : 1, lost], faults.join());
  });

  it("has one of its own, and a warning, where it comes too late for what it was handed", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    mkdirSync(place.root, { mode: 0o700 });
    const gone = join(place.root, "pods", `.new-${process.pid}-1-0123`);
    await using keeper = await LateKeeper.listen(join(place.root, "cache.sock"), gone);
    const factory = { vmCacheNumber: 1 };
    const { isHit, warnings, phases } = await runWatched(place, podOf(place, "late"), { factory });
    assert.deepEqual([isHit, keeper.asked, warnings.length], [false, 1, 1]);
    assert.match(warnings.join(), /"late" gets no VM that waited: the VM that was handed out is gone/);
    assert.ok(phases.includes("qemu-spawned"), phases.join());
    assert.equal(await runScript(place, "late", "late", "hostname"), "late\n");
    await deletePod("late", place.options);
  });

  it("has one of its own, and a warning, where it has no room in one that waited", async ({ signal }) => {
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
    const { warnings, phases } = await runWatched(place, config, { vmCache });
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
});

describe("a pod with networks of its own that gets no VM that waited", needsPlugins, () => {
  it("has one of its own, and a warning, where they cannot be handed to one that waited", async (context) => {
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
    const { warnings, phases } = await runWatched(place, config, { vmCache });
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
