import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { needsRoot } from "../../testing/needs-root.ts";
import {
  makeTestNamespace,
  skipDuplicateDetection,
  type TestNamespace,
  testSite,
  untilCarrierLost,
  untilSettled,
} from "../../testing/test-namespace.ts";
import { NetInterworkingModel } from "../../types/kinds.ts";
import { checkLinks } from "../check-links.ts";
import { scanNamespace } from "../scan.ts";
import type { EndpointRecord, NetworkSite } from "../types.ts";
import { chooseJoin, connectEndpoint, disconnectEndpoint } from "./index.ts";

const MODELS = ["tcFilter", "bridged", "macvtap"] as const;
type Model = (typeof MODELS)[number];
/** Programs that joining a link runs. */
const STEPS: Readonly<Record<Model, number>> = { tcFilter: 4, bridged: 4, macvtap: 7 };

/** A namespace with a link of a kind that has one of everything, and what it is joined to. */
async function fill(namespace: TestNamespace, peer: TestNamespace, kind: "veth" | "macvlan") {
  const { ip } = namespace;
  skipDuplicateDetection(namespace);
  if (kind === "veth") {
    ip(`link add eth0 type veth peer name port netns ${peer.name}`);
    peer.ip("link set dev port up");
  } else {
    peer.ip("link add port type veth peer name other");
    peer.ip("link set dev port up");
    peer.ip("link set dev other up");
    peer.ip(`link add link port name eth0 netns ${namespace.name} type macvlan mode bridge`);
  }
  ip("link set dev eth0 address 02:11:22:33:44:55 mtu 1400");
  for (const address of ["10.1.0.2/24", "10.9.0.1 peer 10.9.0.2/32", "fd00::2/64", "10.1.0.3/24"]) {
    ip(`address add ${address} dev eth0`);
  }
  ip("address add fd00::3/64 dev eth0 nodad noprefixroute");
  ip("link set dev eth0 up");
  ip("route add default via 10.1.0.1 metric 9");
  ip("route add 192.168.7.0/24 via 172.16.0.1 dev eth0 onlink table 44");
  ip("-6 route add default via fd00::1");
  ip("-6 route add 2001:db8::/32 via fd00::9 dev eth0 table 45 metric 3");
  ip("neighbour add 10.1.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent");
  ip("neighbour add fd00::9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent");
  await untilSettled(namespace);
}

/** The one endpoint of a namespace, about to be joined. */
async function note(
  namespace: TestNamespace,
  model: Model = "tcFilter",
): Promise<{ joined: EndpointRecord; site: NetworkSite }> {
  const site = testSite(namespace.path);
  const [endpoint] = await scanNamespace(site);
  assert.ok(endpoint);
  const joined = { endpoint, model: chooseJoin(NetInterworkingModel[model], endpoint) };
  site.record.endpoints.push(joined);
  return { joined, site };
}

const linkNames = ({ ip }: TestNamespace) =>
  (JSON.parse(ip("-json link show")) as { ifname: string }[]).map(({ ifname }) => ifname);

for (const model of MODELS) {
  test(`${model}: a link is joined and given back as it was`, needsRoot, async () => {
    await using peer = makeTestNamespace();
    await using namespace = makeTestNamespace();
    await fill(namespace, peer, "veth");
    const before = namespace.dump();
    const { joined, site } = await note(namespace, model);
    for (const queues of [1, 2]) {
      const connection = await connectEndpoint(joined, site, queues);
      assert.ok("backend" in connection);
      const { backend } = connection;
      assert.equal(backend.type, model === "macvtap" ? "macvtap" : "tap");
      if (backend.type === "macvtap") assert.ok(existsSync(backend.path));
      await checkLinks(site);
      assert.deepEqual(scanMacs(namespace), expectedMacs(model));
      // A second time, what the first has made goes before.
      await connectEndpoint(joined, site, queues);
      await checkLinks(site);
      await disconnectEndpoint(joined, site);
      await untilSettled(namespace);
      assert.deepEqual(namespace.dump(), before);
      if (backend.type === "macvtap") assert.ok(!existsSync(backend.path));
      await disconnectEndpoint(joined, site);
      assert.deepEqual(namespace.dump(), before);
    }
  });

  test(
    `${model}: a link whose other end is down is joined, and given back as it was`,
    needsRoot,
    async () => {
      await using peer = makeTestNamespace();
      await using namespace = makeTestNamespace();
      await fill(namespace, peer, "veth");
      peer.ip("link set dev port down");
      await untilCarrierLost(namespace);
      const before = namespace.dump();
      const { joined, site } = await note(namespace, model);
      await connectEndpoint(joined, site);
      await disconnectEndpoint(joined, site);
      assert.deepEqual(namespace.dump(), before);
    },
  );

  test(`${model}: what was joined by half is given back, too, wherever it broke off`, needsRoot, async () => {
    await using peer = makeTestNamespace();
    await using namespace = makeTestNamespace();
    await fill(namespace, peer, "veth");
    const before = namespace.dump();
    const { joined, site } = await note(namespace, model);
    for (let steps = 1; steps <= STEPS[model]; steps++) {
      const limited = breakOff(site, steps);
      const code = await connectEndpoint(joined, limited).then(
        () => undefined,
        (error: { code?: string }) => error.code,
      );
      assert.equal(code, steps < STEPS[model] ? "ERR_ABORTED" : undefined, `after ${steps} steps`);
      // Half of the times a new attempt comes first.
      if (steps % 2 === 0) await connectEndpoint(joined, site);
      await disconnectEndpoint(joined, limited);
      await untilSettled(namespace);
      assert.deepEqual(namespace.dump(), before, `after ${steps} steps`);
    }
  });

  test(
    `${model}: a link or a namespace that has vanished is no error when it is given back`,
    needsRoot,
    async () => {
      await using peer = makeTestNamespace();
      await using namespace = makeTestNamespace();
      await fill(namespace, peer, "veth");
      const { joined, site } = await note(namespace, model);
      await connectEndpoint(joined, site);
      namespace.ip("link delete dev eth0");
      await assert.rejects(checkLinks(site), { code: "ERR_NETWORK_LINK", message: /^eth0 has vanished/ });
      await disconnectEndpoint(joined, site);
      assert.deepEqual(linkNames(namespace), ["lo"]);
      await assert.rejects(connectEndpoint(joined, site), { message: /^eth0 has vanished from/ });
      await namespace[Symbol.asyncDispose]();
      await disconnectEndpoint(joined, site);
      await assert.rejects(connectEndpoint(joined, site), { code: "ERR_NETWORK_NAMESPACE" });
    },
  );
}

/** A site whose call is aborted when so many programs have been run. */
function breakOff(site: NetworkSite, steps: number): NetworkSite {
  const { signal } = new AbortController();
  let left = steps;
  Object.defineProperty(signal, "aborted", { get: () => left-- <= 0 });
  return { ...site, signal };
}

/** Hardware addresses of eth0, and of the tap interface as far as it counts. */
function scanMacs({ ip }: TestNamespace): boolean[] {
  const links = JSON.parse(ip("-json link show")) as { ifname: string; address: string }[];
  return ["eth0", "tap2_husk"].map((name) =>
    links.some(({ ifname, address }) => ifname === name && address === "02:11:22:33:44:55"),
  );
}

/** Who has the hardware address that the guest has: the link, the tap interface. */
function expectedMacs(model: Model): boolean[] {
  return { tcFilter: [true, false], bridged: [false, false], macvtap: [false, true] }[model];
}

test("a macvlan interface is joined by macvtap, too, and given back as it was", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  await fill(namespace, peer, "macvlan");
  const before = namespace.dump();
  for (const model of ["tcFilter", "macvtap"] as const) {
    const { joined, site } = await note(namespace, model);
    assert.equal(joined.model, model);
    await connectEndpoint(joined, site);
    await checkLinks(site);
    await disconnectEndpoint(joined, site);
    await untilSettled(namespace);
    assert.deepEqual(namespace.dump(), before);
  }
});

test("a link that is another pod's already stays so", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  await fill(namespace, peer, "veth");
  const { joined, site } = await note(namespace);
  await connectEndpoint(joined, site);
  const before = namespace.dump();
  const { joined: again, site: otherSite } = await note(namespace, "bridged");
  await assert.rejects(connectEndpoint(again, otherSite), {
    code: "ERR_NETWORK_CLASH",
    message: new RegExp(`eth0 of .* is joined to a VM already, by tap2_husk \\(${site.containerId}\\)`),
  });
  await disconnectEndpoint(again, otherSite);
  assert.deepEqual(namespace.dump(), before);
});

test("a filter that somebody else has put on a link stays", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  await fill(namespace, peer, "veth");
  const { tc } = namespace;
  tc("qdisc add dev eth0 ingress");
  tc(
    "filter add dev eth0 parent ffff: protocol ip pref 7 u32 match u8 0 0 action mirred egress mirror dev lo",
  );
  const before = namespace.dump();
  const { joined, site } = await note(namespace);
  await assert.rejects(connectEndpoint(joined, site), {
    code: "ERR_NETWORK_LINK",
    message: /has a filter for what comes in already/,
  });
  await disconnectEndpoint(joined, site);
  assert.deepEqual(namespace.dump(), before);
  assert.match(tc("filter show dev eth0 ingress"), /pref 7/);
});

test("what is gone from behind an interface is found", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  await fill(namespace, peer, "veth");
  const { ip, tc } = namespace;
  for (const [model, breakIt, message] of [
    ["tcFilter", () => tc("qdisc delete dev eth0 ingress"), /its filter has gone/],
    ["tcFilter", () => ip("link set dev tap2_husk down"), /tap2_husk is down or has gone/],
    ["bridged", () => ip("link delete dev br2_husk"), /br2_husk is down or has gone/],
    ["bridged", () => ip("link set dev eth0 nomaster"), /br2_husk has lost a port/],
    ["macvtap", () => ip("link delete dev tap2_husk"), /tap2_husk is down or has gone/],
    ["macvtap", () => ip("link set dev eth0 down"), /eth0 of .* is down/],
  ] as const) {
    const { joined, site } = await note(namespace, model);
    await connectEndpoint(joined, site);
    await checkLinks(site);
    breakIt();
    await assert.rejects(checkLinks(site), { code: "ERR_NETWORK_LINK", message });
    await disconnectEndpoint(joined, site);
  }
});

test("what a link does not take back is told once", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  await fill(namespace, peer, "veth");
  const { joined, site } = await note(namespace, "macvtap");
  await connectEndpoint(joined, site);
  joined.before = { ...joined.before, routes: Buffer.from("nonsense").toString("base64") };
  await assert.rejects(disconnectEndpoint(joined, site), {
    code: "ERR_NETWORK_LINK",
    message: /^eth0 of .* does not get each route back: Magic mismatch/,
  });
  assert.equal(joined.before, undefined);
  await disconnectEndpoint(joined, site);
});
