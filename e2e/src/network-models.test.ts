/** Each model of joining a link to a VM: real traffic by both families, and a namespace that is then as it was before. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe } from "node:test";
import { createPod, NetInterworkingModel, statusPod } from "@husk/virtcontainers";
import { needsRoot } from "./support/needs-root.ts";
import { addAddresses, ipAll, makeBridge, type TestNamespace, wire } from "./support/network-namespaces.ts";
import { NetworkedPlace, prepareTraffic, type TrafficTools } from "./support/networked-pod.ts";
import { carryIn, carryOut, type TrafficPlace } from "./support/payload.ts";
import { it } from "./support/vm-test.ts";

/** Addresses of both ends, and what the pod's link has. */
const [OUTSIDE, POD] = [
  ["10.77.0.1", "fd77::1"],
  ["10.77.0.2", "fd77::2"],
];
const [MAC, MTU] = ["02:77:00:00:00:02", 1400];

const withPrefix = ([four, six]: readonly string[] = []) => [`${four}/24`, `${six}/64`];

/** Carries data both ways by both families, most of it by one each, and each side begins once. */
async function carryAll(tools: TrafficTools, pod: TrafficPlace, net: NetworkedPlace, outside: TestNamespace) {
  const peer = net.peer(outside);
  const [[outside4 = "", outside6 = ""] = [], [pod4 = "", pod6 = ""] = []] = [OUTSIDE, POD];
  await carryOut(pod, peer, outside4, tools.large);
  await carryIn(pod, peer, pod6, tools.large);
  await carryOut(pod, peer, outside6, tools.small);
  await carryIn(pod, peer, pod4, tools.small);
}

/** What the guest says of an interface. */
const describeLink = (name: string) =>
  `cat /sys/class/net/${name}/address /sys/class/net/${name}/mtu; ip -o address show dev ${name} scope global | awk '{print $4}'`;

const DESCRIBED = [MAC, MTU, "10.77.0.2/24", "fd77::2/64", ""].join("\n");

describe("a link of a namespace becomes the pod's interface", needsRoot, () => {
  const tools = prepareTraffic();

  /** Runs a pod whose link `name` has the usual addresses, and which must be joined so. */
  const prove = async (
    net: NetworkedPlace,
    [inside, outside]: readonly [TestNamespace, TestNamespace],
    name: string,
    interworkingModel: NetInterworkingModel,
    expected: readonly string[],
    more?: () => Promise<void>,
  ) => {
    const before = [inside.dump(), outside.dump()];
    const pod = await net.start(inside, { interworkingModel });
    assert.equal(await net.run(describeLink(name)), DESCRIBED);
    const { network } = await statusPod("net", net.place.options);
    assert.deepEqual(
      network?.interfaces.map((one) => `${one.name} ${one.kind} ${one.interworking}`),
      expected,
    );
    await carryAll(tools, pod, net, outside);
    await more?.();
    await net.delete();
    assert.deepEqual([inside.dump(), outside.dump()], before);
  };

  it("by filters (tcFilter), also when names and numbers are the other way round", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, outside] = [net.networks.add(), net.networks.add()];
    const other = ["10.78.0.2/24", "fd78::2/64"];
    wire(
      { namespace: inside, name: "eth1", addresses: other },
      { namespace: outside, name: "b", addresses: ["10.78.0.1/24", "fd78::1/64"] },
    );
    wire(
      { namespace: inside, name: "eth0", addresses: withPrefix(POD), mac: MAC },
      { namespace: outside, name: "a", addresses: withPrefix(OUTSIDE) },
      MTU,
    );
    const links = ["eth1 veth tcFilter", "eth0 veth tcFilter"];
    await prove(net, [inside, outside], "eth0", NetInterworkingModel.tcFilter, links, async () => {
      assert.match(await net.run(describeLink("eth1")), /\n1500\n10\.78\.0\.2\/24\nfd78::2\/64\n$/);
      await net.run("ping -c 1 -W 5 10.78.0.1 && ping6 -c 1 -W 5 fd78::1");
    });
  });

  for (const model of ["bridged", "macvtap"] as const) {
    it(`by ${model}, whatever its name is`, async ({ signal }) => {
      await using net = await NetworkedPlace.create(tools, signal);
      const [inside, outside] = [net.networks.add(), net.networks.add()];
      wire(
        { namespace: inside, name: "lan-a.7", addresses: withPrefix(POD), mac: MAC },
        { namespace: outside, name: "a", addresses: withPrefix(OUTSIDE) },
        MTU,
      );
      const links = [`lan-a.7 veth ${model}`];
      await prove(net, [inside, outside], "lan-a.7", NetInterworkingModel[model], links);
    });
  }

  it("as it is (enlightened), when it is a tap interface of a bridge", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, outside] = [net.networks.add(), net.networks.add()];
    wire(
      { namespace: inside, name: "uplink" },
      { namespace: outside, name: "a", addresses: withPrefix(OUTSIDE) },
      MTU,
    );
    ipAll(inside, [
      "tuntap add dev tap0 mode tap vnet_hdr",
      `link set dev tap0 address ${MAC} mtu ${MTU} addrgenmode none`,
      // It is down when the pod gets it; but the kernel keeps what it makes when a link is set up first.
      ...["up", "down"].map((state) => `link set dev tap0 ${state}`),
    ]);
    makeBridge(inside, "br0", ["uplink", "tap0"]);
    // Its stack must not answer for the addresses, which are the guest's.
    ipAll(inside, ["link set dev br0 arp off addrgenmode none"]);
    addAddresses(inside, "tap0", withPrefix(POD));
    const links = ["tap0 tap direct"];
    await prove(net, [inside, outside], "tap0", NetInterworkingModel.enlightened, links);
  });

  it("as it is (enlightened), when it is a macvtap interface", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, outside, middle] = [net.networks.add(), net.networks.add(), net.networks.add()];
    wire(
      { namespace: middle, name: "uplink" },
      { namespace: outside, name: "a", addresses: withPrefix(OUTSIDE) },
      MTU,
    );
    const index = 1e6 + randomInt(1e8);
    middle.ip(
      `link add link uplink netns ${inside.name} name eth7 index ${index} address ${MAC} mtu ${MTU} type macvtap mode bridge`,
    );
    ipAll(inside, ["link set dev eth7 txqueuelen 1000 addrgenmode none up"]);
    addAddresses(inside, "eth7", withPrefix(POD));
    const links = ["eth7 macvtap direct"];
    await prove(net, [inside, outside], "eth7", NetInterworkingModel.enlightened, links);
  });

  it("not at all, when it is not made for VMs and the model (enlightened) makes nothing of it", async ({
    signal,
  }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, outside] = [net.networks.add(), net.networks.add()];
    wire({ namespace: inside, name: "eth0", addresses: withPrefix(POD) }, { namespace: outside, name: "a" });
    const before = inside.dump();
    const config = net.config(inside, { interworkingModel: NetInterworkingModel.enlightened });
    await assert.rejects(createPod(config, net.place.options), {
      code: "ERR_NOT_SUPPORTED",
      message: /eth0 is a veth interface/,
    });
    assert.deepEqual(inside.dump(), before);
  });
});
