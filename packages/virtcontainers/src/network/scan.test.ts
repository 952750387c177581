import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTestNamespace, type TestNamespace, testSite, untilSettled } from "../testing/test-namespace.ts";
import { scanNamespace } from "./scan.ts";

const scan = ({ path }: TestNamespace) => scanNamespace(testSite(path));

/** A veth pair whose other end is up in another namespace. */
function addVeth(namespace: TestNamespace, peer: TestNamespace, name: string, addresses: readonly string[]) {
  namespace.ip(`link add ${name} type veth peer name p-${name} netns ${peer.name}`);
  peer.ip(`link set dev p-${name} up`);
  for (const address of addresses) namespace.ip(`address add ${address} dev ${name}`);
  namespace.ip(`link set dev ${name} up`);
}

test("a link is found with its addresses, routes and neighbours", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  const { ip } = namespace;
  addVeth(namespace, peer, "eth0", ["10.1.0.2/24", "10.9.0.1 peer 10.9.0.2/30", "fd00::2/64"]);
  ip("link set dev eth0 mtu 1400 address 02:11:22:33:44:55");
  ip("address add 169.254.3.4/16 scope link dev eth0");
  ip("address add fd00::dead/64 dev eth0 preferred_lft 0");
  ip("route add default via 10.1.0.1 metric 50");
  ip("route add 192.0.2.7 dev eth0 src 10.1.0.2");
  ip("route add 203.0.113.0/24 via 198.51.100.1 dev eth0 onlink");
  ip("route add blackhole 198.18.0.0/15");
  ip("route add 198.51.100.0/24 via 10.1.0.1 table 77");
  ip("-6 route add default via fd00::1");
  ip("-6 route add 2001:db8::/32 via fe80::1 dev eth0 metric 5");
  ip("neighbour add 10.1.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent");
  ip("neighbour add 10.1.0.8 lladdr 02:00:00:00:00:08 dev eth0 nud reachable");
  await untilSettled(namespace);
  const [endpoint, ...more] = await scan(namespace);
  assert.deepEqual(more, []);
  assert.deepEqual(endpoint, {
    kind: "veth",
    name: "eth0",
    index: 2,
    mac: "02:11:22:33:44:55",
    mtu: 1400,
    addresses: [
      { address: "169.254.3.4", prefix: 16 },
      { address: "10.1.0.2", prefix: 24 },
      { address: "10.9.0.1", prefix: 32 },
      { address: "fd00::2", prefix: 64 },
    ],
    routes: [
      { dest: "default", family: "inet", gateway: "10.1.0.1", metric: 50 },
      { dest: "10.9.0.0/30", family: "inet", source: "10.9.0.1" },
      { dest: "192.0.2.7/32", family: "inet", source: "10.1.0.2" },
      { dest: "203.0.113.0/24", family: "inet", gateway: "198.51.100.1", onLink: true },
      { dest: "2001:db8::/32", family: "inet6", gateway: "fe80::1", metric: 5 },
      { dest: "default", family: "inet6", gateway: "fd00::1", metric: 1024 },
    ],
    neighbours: [{ address: "10.1.0.9", mac: "02:00:00:00:00:09" }],
  });
});

test(
  "of several links each has its kind and what is its own, in the order of their numbers",
  needsRoot,
  async () => {
    await using peer = makeTestNamespace();
    await using namespace = makeTestNamespace();
    const { ip } = namespace;
    addVeth(peer, namespace, "base", []);
    addVeth(namespace, peer, "zeta", ["10.1.0.2/24"]);
    ip("link add alpha link p-base type macvlan mode bridge");
    ip("address add 10.2.0.2/24 dev alpha");
    ip("link set dev alpha up");
    ip("link add vtap link p-base type macvtap mode bridge");
    ip("tuntap add dev vm0 mode tap vnet_hdr");
    ip("tuntap add dev tap3_husk mode tap");
    ip("route add 10.3.0.0/16 via 10.2.0.1");
    // The base is a veth, too; it is nobody's while it is down.
    ip("link set dev p-base down");
    const endpoints = await scan(namespace);
    const told = endpoints.map(({ name, kind, routes }) => [name, kind, routes.map(({ dest }) => dest)]);
    assert.deepEqual(told, [
      ["zeta", "veth", []],
      ["alpha", "macvlan", ["10.3.0.0/16"]],
      ["vtap", "macvtap", []],
      ["vm0", "tap", []],
    ]);
  },
);

test(
  "a link that nobody has configured is left alone, one of an unknown kind only without addresses",
  needsRoot,
  async () => {
    await using namespace = makeTestNamespace();
    const { ip, path } = namespace;
    ip("link add idle type veth peer name idle2");
    ip("link add br0 type bridge");
    ip("link set dev br0 up");
    ip("tuntap add dev l3 mode tun");
    assert.deepEqual(await scan(namespace), []);
    ip("address add 10.1.0.2/24 dev br0");
    await assert.rejects(scan(namespace), {
      code: "ERR_NOT_SUPPORTED",
      message: `unsupported network interface br0 (bridge) of ${path}`,
    });
    ip("link delete dev br0");
    ip("address add 10.1.0.3/24 dev idle");
    await assert.rejects(scan(namespace), { code: "ERR_NETWORK_LINK", message: /^idle .* is down$/ });
  },
);

test("what clashes is told", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  const { ip } = namespace;
  addVeth(namespace, peer, "eth0", ["10.1.0.2/24"]);
  addVeth(namespace, peer, "eth1", ["10.1.0.2/16"]);
  const clash = { code: "ERR_NETWORK_CLASH", message: "eth0 and eth1 both have the address 10.1.0.2" };
  await assert.rejects(scan(namespace), clash);
  ip("address flush dev eth1");
  ip("link set dev eth0 address 02:00:00:00:00:01");
  ip("link set dev eth1 address 02:00:00:00:00:01");
  await assert.rejects(scan(namespace), { ...clash, message: /02:00:00:00:00:01/ });
  ip("link delete dev eth1");
  peer.ip("address add fd00::2/64 dev p-eth0");
  await untilSettled(peer);
  ip("address add fd00::2/64 dev eth0");
  await untilSettled(namespace);
  await assert.rejects(scan(namespace), {
    code: "ERR_NETWORK_CLASH",
    message: /^another machine has the address fd00::2 of eth0/,
  });
});

test("an IPv6 route over two links is one of each", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  for (const number of [0, 1]) {
    addVeth(namespace, peer, `eth${number}`, [`fd0${number}::2/64`]);
    namespace.ip(`-6 route append default via fd0${number}::1 dev eth${number}`);
  }
  await untilSettled(namespace);
  const found = await scan(namespace);
  assert.deepEqual(
    found.map(({ routes }) => routes),
    [0, 1].map((number) => [{ dest: "default", family: "inet6", gateway: `fd0${number}::1`, metric: 1024 }]),
  );
  namespace.ip("-6 route append default via fd00::3 dev eth0");
  await assert.rejects(scan(namespace), { code: "ERR_NOT_SUPPORTED", message: /default has several/ });
});

test("routes that a guest cannot have are refused, and so is too much", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  const { ip } = namespace;
  addVeth(namespace, peer, "eth0", ["10.1.0.2/24"]);
  ip("route add 10.5.0.0/16 nexthop via 10.1.0.1 nexthop via 10.1.0.3");
  await assert.rejects(scan(namespace), {
    code: "ERR_NOT_SUPPORTED",
    message: /10\.5\.0\.0\/16 has several/,
  });
  ip("route delete 10.5.0.0/16");
  for (let index = 1; index <= 16; index++) {
    addVeth(namespace, peer, `more${index}`, [`10.2.${index}.1/24`]);
  }
  await assert.rejects(scan(namespace), { code: "ERR_NETWORK_LINK", message: /17 interfaces, more than 16/ });
});

test("a link with a vhost-user socket is that", needsRoot, async (t) => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  addVeth(namespace, peer, "eth0", ["10.1.0.2/24"]);
  const base = mkdtempSync(join(tmpdir(), "husk-vhu-"));
  t.after(() => rmSync(base, { recursive: true }));
  mkdirSync(join(base, "vhostuser_10.1.0.2"), { mode: 0o700 });
  const socketPath = join(base, "vhostuser_10.1.0.2/vhu.sock");
  const server = createServer().listen(socketPath);
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const [endpoint] = await scanNamespace(testSite(namespace.path), { vhostUserBase: base });
  assert.equal(endpoint?.kind, "vhost-user");
  assert.equal(endpoint.socketPath, socketPath);
  assert.equal((await scan(namespace))[0]?.kind, "veth");
});

test("a namespace that is not there, or none at all, is told", needsRoot, async () => {
  const code = "ERR_NETWORK_NAMESPACE";
  await assert.rejects(scanNamespace(testSite("/run/netns/none-such")), { code, message: /none-such/ });
  const { netNSPath: _, ...record } = testSite("").record;
  await assert.rejects(scanNamespace({ ...testSite(""), record }), { code, message: /no network namespace/ });
});
