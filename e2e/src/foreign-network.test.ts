/** Interfaces that a VM gets while it runs from a network namespace that is not its own. */
import assert from "node:assert/strict";
import { readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import {
  addInterface,
  checkNetwork,
  deletePod,
  NetInterworkingModel,
  openVmCache,
  type PodConfig,
  removeInterface,
  runPod,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { CniMachine, needsPlugins } from "@husk/virtcontainers/testing/cni-machine";
import { findMade, writeBridgeNetwork } from "./support/cni-networks.ts";
import { makeDoomedCall } from "./support/doomed-call.ts";
import { livingIn, TAP_HELPER } from "./support/foreign-vm.ts";
import { findProcesses } from "./support/leaks.ts";
import { needsRoot } from "./support/needs-root.ts";
import { type TestNamespace, TestNetworks, wire } from "./support/network-namespaces.ts";
import { NetworkedPlace, prepareTraffic } from "./support/networked-pod.ts";
import { carryIn, carryOut } from "./support/payload.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "net";

/** Joins two namespaces by links of this number. */
function connect(inside: TestNamespace, outside: TestNamespace, number: number): void {
  wire(
    { namespace: inside, name: `eth${number}`, addresses: [`10.8.${number}.2/24`, `fd8${number}::2/64`] },
    { namespace: outside, name: `peer${number}`, addresses: [`10.8.${number}.1/24`, `fd8${number}::1/64`] },
  );
}

/** The process of a pod's VM. */
function pidOfVm(place: Workplace): number {
  const [vm] = findProcesses(place.root).filter(({ command }) => command.includes(" -uuid "));
  assert.ok(vm);
  return vm.pid;
}

/** The namespace that a pod's VM lives in. */
function namespaceOfVm(place: Workplace): number {
  return statSync(`/proc/${pidOfVm(place)}/ns/net`).ino;
}

/** Number of queues of taps that a pod's VM has open. */
function tunsOfVm(place: Workplace): number {
  const folder = `/proc/${pidOfVm(place)}/fd`;
  return readdirSync(folder).filter((fd) => readlinkSync(join(folder, fd)) === "/dev/net/tun").length;
}

/** A program that does what it is to do, and kills (SIGKILL) who started it when the environment says so. */
function makeDeadlyHelper({ folder }: Workplace): string {
  const path = join(folder, "deadly-tap");
  const script = `#!/bin/sh\n${TAP_HELPER} "$@" || exit\n[ -z "$DEADLY_HELPER" ] || kill -KILL $PPID\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

describe("a VM that lives in another network namespace than its pod", needsRoot, () => {
  const tools = prepareTraffic();

  for (const model of ["tcFilter", "bridged", "macvtap"] as const) {
    it(`gets interfaces with several queues, by ${model}, and gives them back`, async ({ signal }) => {
      await using net = await NetworkedPlace.create(tools, signal);
      await using templates = await TemplatePlace.create();
      const [keeper, inside, outside] = [net.networks.add(), net.networks.add(), net.networks.add()];
      connect(inside, outside, 0);
      const before = inside.dump();
      const { options } = net.place;
      const network = { interworkingModel: NetInterworkingModel[model] };
      const hypervisor = livingIn(keeper, net.place);
      const config = net.config(inside, network, { vcpus: 2, hypervisor });
      await runPod(config, { ...options, factory: templates.factory });
      assert.equal(namespaceOfVm(net.place), statSync(keeper.path).ino);
      const pod = { place: net.place, podId: POD, containerId: "c" };
      assert.match(await net.run("ls /sys/class/net/eth0/queues"), /rx-1.*tx-1/s);
      await carryOut(pod, net.peer(outside), "10.8.0.1", tools.large);
      await carryIn(pod, net.peer(outside), "fd80::2", tools.large);

      connect(inside, outside, 1);
      for (let round = 0; round < 3; round++) {
        assert.equal((await addInterface(POD, { link: "eth1" }, options)).interworking, model);
        await carryOut(pod, net.peer(outside), "fd81::1", tools.small);
        await carryIn(pod, net.peer(outside), "10.8.1.2", tools.small);
        await removeInterface(POD, "eth1", options);
        if (model !== "macvtap") assert.equal(JSON.stringify(inside.dump()).includes("tap3_husk"), false);
      }
      inside.ip("link delete dev eth1");
      await net.delete();
      assert.deepEqual(inside.dump(), before);
    });
  }

  it("keeps nothing that a caller gave it who was killed", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    await using templates = await TemplatePlace.create();
    const [keeper, inside, outside] = [net.networks.add(), net.networks.add(), net.networks.add()];
    connect(inside, outside, 0);
    const { options } = net.place;
    const hypervisor = { ...livingIn(keeper, net.place), tapHelperPath: makeDeadlyHelper(net.place) };
    const config = net.config(inside, {}, { vcpus: 2, hypervisor });
    await runPod(config, { ...options, factory: templates.factory });
    const before = tunsOfVm(net.place);
    assert.equal(before, 2);
    connect(inside, outside, 1);
    const filled = inside.dump();
    const calls = [["addInterface", POD, { link: "eth1" }]] as const;
    assert.notEqual(await makeDoomedCall(net.place, { calls }, { DEADLY_HELPER: "1" }), undefined);
    assert.equal(tunsOfVm(net.place), before + 2);
    await checkNetwork(POD, options);
    assert.equal(tunsOfVm(net.place), before);
    assert.deepEqual(inside.dump(), filled);
    await addInterface(POD, { link: "eth1" }, options);
    await carryOut(
      { place: net.place, podId: POD, containerId: "c" },
      net.peer(outside),
      "10.8.1.1",
      tools.small,
    );
    await net.delete();
  });

  it("is refused, and undone, when nobody can open its interfaces", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    await using templates = await TemplatePlace.create();
    const [keeper, inside, outside] = [net.networks.add(), net.networks.add(), net.networks.add()];
    connect(inside, outside, 0);
    const before = inside.dump();
    const { tapHelperPath: _, ...without } = livingIn(keeper, net.place);
    for (const [hypervisor, code] of [
      [without, "ERR_NOT_SUPPORTED"],
      [{ ...without, tapHelperPath: "/no/such/program" }, "ERR_ASSET_MISSING"],
      [{ ...without, tapHelperPath: "/bin/false" }, "ERR_NETWORK_LINK"],
    ] as const) {
      const config = net.config(inside, {}, { hypervisor });
      await assert.rejects(runPod(config, { ...net.place.options, factory: templates.factory }), { code });
      assert.deepEqual(inside.dump(), before);
    }
  });
});

describe("a VM that waited for its pod", needsRoot, () => {
  const tools = prepareTraffic();

  it("gets the interfaces of the pod's namespace, and new ones when it is started again", async ({
    signal,
  }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, outside] = [net.networks.add(), net.networks.add()];
    connect(inside, outside, 0);
    const before = inside.dump();
    const { options } = net.place;
    const hypervisor = { tapHelperPath: TAP_HELPER, defaultBridges: 4 };
    const config = net.config(inside, {}, { vcpus: 2, hypervisor });
    await using vmCache = await openVmCache(config, { vmCacheNumber: 1 }, options);
    await vmCache.filled();
    const phases: string[] = [];
    await runPod(config, { ...options, vmCache, onPhase: ({ name }) => void phases.push(name) });
    await vmCache.close();
    assert.ok(phases.includes("vm-claimed"), phases.join());
    assert.notEqual(namespaceOfVm(net.place), statSync(inside.path).ino);
    const pod = { place: net.place, podId: POD, containerId: "c" };
    for (const isAgain of [false, true]) {
      if (isAgain) await startPod(POD, options);
      assert.equal(namespaceOfVm(net.place) === statSync(inside.path).ino, isAgain);
      await carryOut(pod, net.peer(outside), "fd80::1", tools.small);
      await carryIn(pod, net.peer(outside), "10.8.0.2", tools.small);
      await stopPod(POD, options);
      assert.deepEqual(inside.dump(), before);
    }
    await net.delete();
  });
});

describe("a copy of a template with networks of CNI", needsPlugins, () => {
  const tools = prepareTraffic();

  for (const where of ["the pod's namespace", "another namespace"]) {
    it(`has them in ${where}`, async (context) => {
      const machine = new CniMachine(context);
      for (const [name, number] of Object.entries({ blue: 71, green: 72 }))
        writeBridgeNetwork(machine, name, number);
      await using place = await Workplace.create(context.signal);
      await using networks = new TestNetworks();
      await using templates = await TemplatePlace.create();
      const own = { ...place.hypervisorConfig, tapHelperPath: TAP_HELPER, defaultBridges: 4 };
      const config: PodConfig = {
        id: POD,
        hypervisorConfig: where === "another namespace" ? livingIn(networks.add(), place) : own,
        networkModel: "CNI",
        networkConfig: { cni: { ...machine.cni, networks: ["blue"] } },
        containers: [{ id: "c", rootFs: tools.root, cmd: { args: ["sleep", "1000"] } }],
      };
      await runPod(config, { ...place.options, factory: templates.factory });
      const { network } = await statusPod(POD, place.options);
      const lives = statSync(network?.netNSPath ?? "").ino === namespaceOfVm(place);
      assert.equal(lives, where === "the pod's namespace");
      const pod = { place, podId: POD, containerId: "c" };
      const peer = { namespace: { path: `/run/netns/${machine.name}` }, program: tools.program };
      await carryOut(pod, peer, "10.71.0.1", tools.small);
      const added = await addInterface(POD, { network: "green" }, place.options);
      const address = added.addresses[0]?.split("/")[0] ?? "";
      assert.match(await runScript(place, POD, "c", "ip address show eth1"), new RegExp(address));
      await carryIn(pod, peer, address, tools.small);
      await deletePod(POD, place.options);
      assert.deepEqual(findMade(machine, "blue", "green"), []);
    });
  }
});
