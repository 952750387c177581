/** Pods among others: on a bridge, behind a router, with name servers that the test runs. */
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { describe } from "node:test";
import { serveNames, serveWeb } from "./support/namespace-servers.ts";
import { needsRoot } from "./support/needs-root.ts";
import { forwardPackets, ipAll, makeBridge, wire } from "./support/network-namespaces.ts";
import { NetworkedPlace, prepareTraffic } from "./support/networked-pod.ts";
import { carryBetween, carryIn, carryOut } from "./support/payload.ts";
import { it } from "./support/vm-test.ts";

/** The files that a namespace has instead of those of `/etc`. */
async function writeResolvConf(name: string, text: string): Promise<AsyncDisposable> {
  const folder = `/etc/netns/${name}`;
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/resolv.conf`, text);
  return { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

describe("a pod among others", needsRoot, () => {
  const tools = prepareTraffic();

  it("reaches another pod on its bridge, and names by the name server of its configuration", async ({
    signal,
  }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const hub = net.networks.add();
    const numbers = [2, 3] as const;
    const ids = numbers.map((number) => `pod${number}`);
    const spaces = numbers.map((number) => {
      const namespace = net.networks.add();
      const addresses = [`10.77.0.${number}/24`, `fd77::${number}/64`];
      wire({ namespace, name: "eth0", addresses }, { namespace: hub, name: `port${number}` });
      return namespace;
    });
    makeBridge(hub, "br0", ["port2", "port3"], ["10.77.0.1/24", "fd77::1/64"]);
    using _server = await serveNames(hub, "10.77.0.1", "10.77.0.3", "fd77::3");
    const dns = { servers: ["10.77.0.1"], search: ["pods.example"], options: ["timeout:3"] };
    const [one, other] = await Promise.all(
      spaces.map((namespace, at) => net.start(namespace, { dns }, { id: ids[at] ?? "" })),
    );
    assert.ok(one && other);
    await carryBetween(one, other, "10.77.0.3", tools.small);
    await carryBetween(other, one, "fd77::2", tools.small);
    const conf = "nameserver 10.77.0.1\nsearch pods.example\noptions timeout:3\n";
    assert.equal(await net.run("cat /etc/resolv.conf", "pod2"), conf);
    const lookup = await net.run("nslookup web; ping -c 1 -W 5 web", "pod2");
    assert.match(lookup, /^Name:\s+web\.pods\.example\nAddress: 10\.77\.0\.3$/m);
    assert.match(lookup, /^Address: fd77::3$/m);
    assert.match(lookup, /^64 bytes from (fd77::3|10\.77\.0\.3): /m);
    await Promise.all(ids.map((id) => net.delete(id)));
  });

  it("reaches what is behind a router, by the routes and the name server of its namespace", async ({
    signal,
  }) => {
    await using net = await NetworkedPlace.create(tools, signal);
    const [inside, router, far] = [net.networks.add(), net.networks.add(), net.networks.add()];
    wire(
      { namespace: inside, name: "eth0", addresses: ["10.77.0.2/24", "fd77::2/64"] },
      { namespace: router, name: "near", addresses: ["10.77.0.1/24", "fd77::1/64", "192.0.2.1/32"] },
    );
    wire(
      { namespace: router, name: "far", addresses: ["10.99.0.1/24", "fd99::1/64"] },
      {
        namespace: far,
        name: "up0",
        addresses: ["10.99.0.9/24", "fd99::9/64", "10.98.0.9/32", "fd98::9/128"],
      },
    );
    ipAll(far, ["route add default via 10.99.0.1", "-6 route add default via fd99::1"]);
    ipAll(router, ["route add 10.98.0.0/24 via 10.99.0.9", "-6 route add fd98::/64 via fd99::9"]);
    forwardPackets(router);
    ipAll(inside, [
      "route add default via 10.77.0.1",
      "-6 route add default via fd77::1",
      "route add 10.98.0.0/24 via 192.0.2.1 dev eth0 metric 77 onlink",
      "-6 route add fd98::/64 via fd77::1 metric 78",
      "neighbour add 10.77.0.70 lladdr 02:00:00:00:00:70 dev eth0 nud permanent",
      "neighbour add fd77::70 lladdr 02:00:00:00:00:71 dev eth0 nud permanent",
    ]);
    using _names = await serveNames(far, "fd99::9", "10.98.0.9", "fd98::9");
    using _web = await serveWeb(far);
    await using _conf = await writeResolvConf(inside.name, "nameserver fd99::9\nsearch far.example\n");
    const before = inside.dump();
    const pod = await net.start(inside, {});
    for (const address of ["10.99.0.9", "fd99::9", "10.98.0.9", "fd98::9"]) {
      await carryOut(pod, net.peer(far), address, tools.small);
    }
    for (const address of ["10.77.0.2", "fd77::2"]) {
      await carryIn(pod, net.peer(far), address, tools.small);
    }
    const told = await net.run("ip route; ip -6 route; ip neigh show nud permanent; cat /etc/resolv.conf");
    assert.match(told, /^default via 10\.77\.0\.1 dev eth0/m);
    assert.match(told, /^10\.98\.0\.0\/24 via 192\.0\.2\.1 dev eth0 +metric 77/m);
    assert.match(told, /^default via fd77::1 dev eth0/m);
    assert.match(told, /^fd98::\/64 via fd77::1 dev eth0 +metric 78/m);
    assert.match(told, /^10\.77\.0\.70 dev eth0 lladdr 02:00:00:00:00:70/m);
    assert.match(told, /^fd77::70 dev eth0 lladdr 02:00:00:00:00:71/m);
    assert.match(told, /^nameserver fd99::9\nsearch far\.example$/m);
    assert.equal(await net.run("wget -q -O - http://web/some/path"), "/some/path");
    await net.delete();
    assert.deepEqual(inside.dump(), before);
  });
});
