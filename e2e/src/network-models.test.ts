/** Each model of joining a link to a VM: real traffic by both families, and a namespace that is then as it was before. */
import assert from "node:assert/strict";
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
    await net.networks.settle(inside, outside);
    const before = inside.dump();
    const pod = await net.start(inside, { interworkingModel: NetInterworkingModel.tcFilter });
    assert.equal(await net.run(describeLink("eth0")), DESCRIBED);
    assert.match(await net.run(describeLink("eth1")), /\n1500\n10\.78\.0\.2\/24\nfd78::2\/64\n$/);
    await net.run("ping -c 1 -W 5 10.78.0.1 && ping6 -c 1 -W 5 fd78::1");
    await carryAll(tools, pod, net, outside);
    const { network } = await statusPod("net", net.place.options);
    assert.deepEqual(
      network?.interfaces.map(({ name, kind, interworking }) => [name, kind, interworking]),
      [
        ["eth1", "veth", "tcFilter"],
        ["eth0", "veth", "tcFilter"],
      ],
    );
    await net.delete();
    assert.deepEqual(inside.dump(), before);
  });
});
