/** What becomes an interface of a pod, on which machines, through a pod's life, and what is refused. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { describe } from "node:test";
import {
  checkNetwork,
  createPod,
  type ErrorCode,
  NetInterworkingModel,
  type NetworkConfig,
  pausePod,
  resumePod,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { needsRoot } from "./support/needs-root.ts";
import { addAddresses, ipAll, makeBridge, type TestNamespace, wire } from "./support/network-namespaces.ts";
import { NetworkedPlace, prepareTraffic } from "./support/networked-pod.ts";
import { beginCarryIn, carryIn, carryOut } from "./support/payload.ts";
import { it } from "./support/vm-test.ts";

/** Addresses of both ends of the network of a number. */
const outsideOf = (number: number) => [`10.${number}.0.1`, `fd${number}::1`];
const insideOf = (number: number) => [`10.${number}.0.2`, `fd${number}::2`];
const withPrefix = ([four, six]: readonly string[]) => [`${four}/24`, `${six}/64`];

/** Makes a veth link in the pod's namespace. */
function addVeth(inside: TestNamespace, outside: TestNamespace, name: string, number: number): void {
  const [mine, other] = [withPrefix(insideOf(number)), withPrefix(outsideOf(number))];
  wire(
    { namespace: inside, name, addresses: mine },
    { namespace: outside, name: `to-${name}`, addresses: other },
  );
}

/** Makes a macvlan or macvtap link in the pod's namespace, on a link of the middle's. */
function addMacLink(
  [inside, outside, middle]: readonly TestNamespace[],
  kind: "macvlan" | "macvtap",
  name: string,
  number: number,
): void {
  assert.ok(inside && outside && middle);
  const addresses = withPrefix(outsideOf(number));
  wire({ namespace: middle, name: `base${number}` }, { namespace: outside, name: `to-${name}`, addresses });
  const index = 1e6 + randomInt(1e8);
  middle.ip(
    `link add link base${number} netns ${inside.name} name ${name} index ${index} type ${kind} mode bridge`,
  );
  inside.ip(`link set dev ${name} up txqueuelen 1000`);
  addAddresses(inside, name, withPrefix(insideOf(number)));
}

/** Makes a tap link with several queues in the pod's namespace, and a bridge that leads on. */
function addTap(inside: TestNamespace, outside: TestNamespace, name: string, number: number): void {
  const addresses = withPrefix(outsideOf(number));
  wire({ namespace: inside, name: "uplink" }, { namespace: outside, name: `to-${name}`, addresses });
  ipAll(inside, [`tuntap add dev ${name} mode tap vnet_hdr multi_queue`, `link set dev ${name} up`]);
  makeBridge(inside, "br0", ["uplink", name]);
  // Its stack must not answer for the addresses, which are the guest's.
  inside.ip("link set dev br0 arp off addrgenmode none");
  addAddresses(inside, name, withPrefix(insideOf(number)));
}

/** A script that reaches the networks of these numbers by both families. */
const ping = (...numbers: number[]) =>
  numbers
    .map(outsideOf)
    .map(([four, six]) => `ping -c 1 -W 5 ${four} && ping6 -c 1 -W 5 ${six}`)
    .join(" && ");

describe("the links of a pod's namespace", needsRoot, () => {
  const tools = prepareTraffic();

  it("become interfaces of all kinds with several queues, which come again and stand still with the pod", async ({
    signal,
  }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const { options } = net.place;
    const spaces = [net.networks.add(), net.networks.add(), net.networks.add()] as const;
    const [inside, outside] = spaces;
    addVeth(inside, outside, "eth0", 11);
    addMacLink(spaces, "macvlan", "mac0", 12);
    addMacLink(spaces, "macvtap", "mvt0", 13);
    addTap(inside, outside, "tap0", 14);
    const before = inside.dump();
    const pod = await net.start(inside, { numInterfaces: 4 }, { vcpus: 2 });
    const { network } = await statusPod("net", options);
    const told = network?.interfaces.map((one) => `${one.name} ${one.kind} ${one.interworking}`);
    const kinds = ["eth0 veth tcFilter", "mac0 macvlan tcFilter", "mvt0 macvtap direct", "tap0 tap direct"];
    assert.deepEqual(told?.sort(), kinds);
    const queues = "rx-0\nrx-1\ntx-0\ntx-1\n";
    const look = "for name in eth0 mac0 mvt0 tap0; do ls /sys/class/net/$name/queues; done";
    assert.equal(await net.run(look), queues.repeat(4));
    const peer = net.peer(outside);
    for (const [at, number] of [11, 12, 13, 14].entries()) {
      const [address = "", own = ""] = [outsideOf(number)[at % 2], insideOf(number)[(at + 1) % 2]];
      await carryOut(pod, peer, address, tools.small);
      await carryIn(pod, peer, own, tools.small);
    }
    await net.run(ping(11, 12, 13, 14));
    await checkNetwork("net", options);

    await stopPod("net", options);
    assert.deepEqual(inside.dump(), before);
    await startPod("net", options);
    await net.run(ping(11, 12, 13, 14));

    // On a busy machine all of it may be there before the pod stands still.
    for (let wasUnderWay = false; !wasUnderWay; ) {
      let isDone = false;
      const { carried } = await beginCarryIn(pod, peer, "10.11.0.2", tools.large);
      const done = carried.then(() => {
        isDone = true;
      });
      await pausePod("net", options);
      wasUnderWay = !isDone;
      await resumePod("net", options);
      await done;
    }

    inside.ip("link delete dev mac0");
    await assert.rejects(checkNetwork("net", options), {
      code: "ERR_NETWORK_LINK",
      message: /mac0 has vanished/,
    });
    await net.run(ping(11, 13, 14));
    await stopPod("net", options);
    await net.delete();
    assert.doesNotMatch(inside.ip("link show"), /mac0|_husk/);
    inside.ip("link delete dev uplink");
  });

  it("are joined by macvtap also when they are macvlan links", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const spaces = [net.networks.add(), net.networks.add(), net.networks.add()] as const;
    const [inside, outside] = spaces;
    addMacLink(spaces, "macvlan", "mac0", 12);
    addVeth(inside, outside, "eth0", 11);
    const before = inside.dump();
    const pod = await net.start(inside, { interworkingModel: NetInterworkingModel.macvtap }, { vcpus: 2 });
    assert.equal(await net.run("ls /sys/class/net/*0/queues | grep -c rx-"), "4\n");
    await carryOut(pod, net.peer(outside), "fd12::1", tools.small);
    await carryIn(pod, net.peer(outside), "fd12::2", tools.small);
    await net.run(ping(11, 12));
    await checkNetwork("net", net.place.options);
    await net.delete();
    assert.deepEqual(inside.dump(), before);
  });

  for (const machine of ["pc", "microvm"] as const) {
    it(`become interfaces of the machine ${machine}`, async ({ signal }) => {
      await using net = await NetworkedPlace.create(tools, signal);
      const [inside, outside] = [net.networks.add(), net.networks.add()];
      addVeth(inside, outside, "eth1", 12);
      addVeth(inside, outside, "eth0", 11);
      const hypervisor = { hypervisorMachineType: machine };
      const pod = await net.start(inside, {}, { vcpus: 2, hypervisor });
      await carryOut(pod, net.peer(outside), "fd11::1", tools.small);
      await carryIn(pod, net.peer(outside), "10.11.0.2", tools.small);
      await net.run(ping(11, 12));
      await net.delete();
    });
  }

  it("are refused, and left as they were, when they cannot be what was asked for", async ({ signal }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, outside] = [net.networks.add(), net.networks.add()];
    const refuse = async (path: string, network: NetworkConfig, code: ErrorCode, message: RegExp) => {
      const config = net.config({ path }, network);
      await assert.rejects(createPod(config, net.place.options), { code, message });
    };
    // A container may not look at process 1, and then takes its own for the machine's.
    const machine = existsSync("/proc/1/ns/net") ? "/proc/1/ns/net" : "/proc/self/ns/net";
    const gone = "/run/netns/husk-test-not-there";
    await refuse(gone, {}, "ERR_NETWORK_NAMESPACE", /husk-test-not-there is not there/);
    await refuse("/etc/passwd", {}, "ERR_NETWORK_NAMESPACE", /is not a network namespace/);
    await refuse("/proc/self/ns/uts", {}, "ERR_NETWORK_NAMESPACE", /cannot be entered/);
    await refuse(machine, {}, "ERR_NETWORK_NAMESPACE", /is the network namespace of the machine/);
    await refuse(inside.path, { numInterfaces: 1 }, "ERR_NETWORK_LINK", /has 0 of 1 interfaces wanted: none/);
    addVeth(inside, outside, "eth0", 11);
    const before = inside.dump();
    await refuse(inside.path, { numInterfaces: 2 }, "ERR_NETWORK_LINK", /has 1 of 2 .*: eth0/);
    addVeth(inside, outside, "eth1", 12);
    inside.ip("address add 10.11.0.2/32 dev eth1");
    await refuse(inside.path, {}, "ERR_NETWORK_CLASH", /eth0 and eth1 both have the address 10\.11\.0\.2/);
    inside.ip("link delete dev eth1");
    assert.deepEqual(inside.dump(), before);
  });
});
