import assert from "node:assert/strict";
import { test } from "node:test";
import { CniMachine, needsPlugins, runIn, type TestSite } from "../../testing/cni-machine.ts";
import type { PluginConfiguration } from "./configuration.ts";
import { checkAttachments, cniNetwork } from "./index.ts";

/** An address of a link, as `10.0.0.2/24`. */
function addressesOf({ record }: TestSite, link: string): string[] {
  const text = runIn(record.netNSPath, "ip", "-json", "address", "show", "dev", link, "scope", "global");
  const [found] = JSON.parse(text) as { addr_info: { local?: string; prefixlen?: number }[] }[];
  // What the scope excludes is left by ip(8) as an empty object.
  const shown = found?.addr_info.filter(({ local }) => local !== undefined) ?? [];
  return shown.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** Names of the links of a namespace. */
function linksOf(json: string): string[] {
  return (JSON.parse(json) as { ifname: string }[]).map(({ ifname }) => ifname).sort();
}
const podLinks = ({ record }: TestSite) => linksOf(runIn(record.netNSPath, "ip", "-json", "link"));
const machineLinks = (machine: CniMachine) => linksOf(machine.run("ip", "-json", "link"));

/** All that is of a pod in the machine's firewall. */
function rulesOf(machine: CniMachine, words: readonly string[]): string[] {
  const rules = machine.run("iptables-save") + machine.run("ip6tables-save");
  return rules.split("\n").filter((line) => words.some((word) => line.includes(word)));
}

/** A network with a bridge for both families, with host ports, its own MTU and, where the version has them, firewall rules. */
function bridgeNetwork(machine: CniMachine, cniVersion: string) {
  const ranges = [[{ subnet: "10.77.0.0/24" }], [{ subnet: "fd77::/64" }]];
  const ipam = { type: "host-local", dataDir: machine.dataDir, ranges, routes: [{ dst: "0.0.0.0/0" }] };
  const dns = { nameservers: ["10.77.0.1"], domain: "test.example" };
  const plugins: PluginConfiguration[] = [
    { type: "bridge", bridge: "br-test", isGateway: true, ipMasq: true, ipam, dns },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "tuning", dataDir: machine.dataDir, mtu: 1400, sysctl: { "net.ipv4.conf.eth0.arp_notify": "1" } },
  ];
  if (cniVersion !== "0.3.1") plugins.push({ type: "firewall" });
  return { cniVersion, name: "bridged", plugins };
}

const PORTS = { portMappings: [{ hostPort: 8080, containerPort: 80 }] };

for (const version of ["0.3.1", "0.4.0", "1.0.0"]) {
  test(`a bridge with all that goes with it comes and goes (${version})`, needsPlugins, async (t) => {
    const machine = new CniMachine(t);
    machine.writeConfiguration("10-bridge.conflist", bridgeNetwork(machine, version));
    const site = machine.makeSite(PORTS);
    await cniNetwork.check(site.config);
    await cniNetwork.attach(site);
    assert.deepEqual(addressesOf(site, "eth0"), ["10.77.0.2/24", "fd77::2/64"]);
    assert.match(runIn(site.record.netNSPath, "ip", "link", "show", "eth0"), /mtu 1400/);
    assert.match(runIn(site.record.netNSPath, "ip", "route"), /default via 10\.77\.0\.1 dev eth0/);
    assert.deepEqual(machine.leases("bridged"), ["10.77.0.2", "fd77::2"]);
    assert.equal(rulesOf(machine, ["--dport 8080 -j DNAT --to-destination 10.77.0.2:80"]).length, 1);
    assert.deepEqual(cniNetwork.findDns(site), {
      servers: ["10.77.0.1"],
      search: ["test.example"],
      options: [],
    });
    const { attachments } = structuredClone(site.record);
    await cniNetwork.detach(site);
    assert.deepEqual(podLinks(site), ["lo"]);
    assert.deepEqual(machineLinks(machine), ["br-test", "lo"]);
    assert.deepEqual(machine.leases("bridged"), []);
    assert.deepEqual(rulesOf(machine, [site.containerId, "8080", "10.77.0.2", "fd77::2"]), []);
    if (attachments) site.record.attachments = attachments;
    await cniNetwork.detach(site);
    assert.deepEqual(site.record.attachments, []);
  });
}

test("several networks, each from its own kind of file, are joined in order", needsPlugins, async (t) => {
  const machine = new CniMachine(t);
  machine.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink-peer");
  for (const link of ["uplink", "uplink-peer"]) machine.run("ip", "link", "set", link, "up");
  const ipam = (subnet: string) => ({ type: "host-local", dataDir: machine.dataDir, ranges: [[{ subnet }]] });
  machine.writeConfiguration("10-ptp.conf", {
    cniVersion: "0.3.1",
    name: "ptp",
    type: "ptp",
    ipam: ipam("10.1.0.0/24"),
  });
  machine.writeConfiguration("20-macvlan.json", {
    cniVersion: "0.4.0",
    name: "macvlan",
    type: "macvlan",
    master: "uplink",
    ipam: ipam("fd02::/64"),
  });
  machine.writeConfiguration("30-bridge.conflist", {
    cniVersion: "1.0.0",
    name: "plain",
    plugins: [{ type: "bridge", bridge: "br-plain", ipam: ipam("10.3.0.0/24") }],
  });
  machine.writeConfiguration("99-loopback.conf", { cniVersion: "0.3.1", name: "lo", type: "loopback" });
  const site = machine.makeSite({ numInterfaces: 3 });
  await cniNetwork.attach(site);
  assert.deepEqual(
    site.record.attachments?.map(({ network, ifName }) => `${ifName} ${network}`),
    ["lo lo", "eth0 ptp", "eth1 macvlan", "eth2 plain"],
  );
  assert.deepEqual(podLinks(site), ["eth0", "eth1", "eth2", "lo"]);
  assert.deepEqual(addressesOf(site, "eth0"), ["10.1.0.2/24"]);
  assert.deepEqual(addressesOf(site, "eth1"), ["fd02::2/64"]);
  assert.deepEqual(addressesOf(site, "eth2"), ["10.3.0.2/24"]);
  await checkAttachments(site);

  await cniNetwork.leave(site, "eth1");
  assert.deepEqual(podLinks(site), ["eth0", "eth2", "lo"]);
  await cniNetwork.leave(site, "eth1");
  assert.equal(await cniNetwork.join(site, "plain"), "eth1");
  assert.deepEqual(addressesOf(site, "eth1"), ["10.3.0.3/24"]);
  assert.equal(await cniNetwork.join(site, "macvlan"), "eth3");
  await cniNetwork.detach(site);
  assert.deepEqual(podLinks(site), ["lo"]);
  assert.deepEqual(
    ["ptp", "macvlan", "plain"].flatMap((network) => machine.leases(network)),
    [],
  );
  assert.deepEqual(machineLinks(machine), ["br-plain", "lo", "uplink", "uplink-peer"]);
});

test("a network that is joined twice is left once", needsPlugins, async (t) => {
  const machine = new CniMachine(t);
  machine.writeConfiguration("10-bridge.conflist", bridgeNetwork(machine, "1.0.0"));
  const site = machine.makeSite(PORTS);
  await cniNetwork.attach(site);
  const before = rulesOf(machine, ["10.77.0.", "fd77::"]);
  assert.equal(await cniNetwork.join(site, "bridged"), "eth1");
  assert.notDeepEqual(rulesOf(machine, ["10.77.0.", "fd77::"]), before);
  await cniNetwork.leave(site, "eth1");
  assert.deepEqual(rulesOf(machine, ["10.77.0.", "fd77::"]), before);
  assert.deepEqual(machine.leases("bridged"), ["10.77.0.2", "fd77::2"]);
  assert.equal(await cniNetwork.join(site, "bridged"), "eth1");
  await cniNetwork.detach(site);
  assert.deepEqual(machine.leases("bridged"), []);
  assert.deepEqual(rulesOf(machine, [site.containerId, "8080", "10.77.0.2", "fd77::2"]), []);
});

test("CHECK passes until something is changed", needsPlugins, async (t) => {
  const machine = new CniMachine(t);
  machine.writeConfiguration("10-bridge.conflist", bridgeNetwork(machine, "1.0.0"));
  // Of host ports the plugin (1.1.1) finds fault with what it made itself.
  const site = machine.makeSite({});
  await cniNetwork.attach(site);
  await checkAttachments(site);
  runIn(site.record.netNSPath, "ip", "address", "flush", "dev", "eth0");
  await assert.rejects(checkAttachments(site), {
    code: "ERR_CNI_PLUGIN",
    message: /the CNI plugin bridge \(CHECK, network bridged, interface eth0\) failed: /,
  });
  await cniNetwork.detach(site);
});

test("a chain that breaks off at its end leaves nothing", needsPlugins, async (t) => {
  const machine = new CniMachine(t);
  const network = bridgeNetwork(machine, "1.0.0");
  network.plugins.push({ type: "failing" });
  machine.writeConfiguration("10-bridge.conflist", network);
  machine.writePlugin("failing", "echo no >&2; exit 1");
  const site = machine.makeSite(PORTS);
  await assert.rejects(cniNetwork.attach(site), {
    message: /failing \(ADD, .*no; and undoing it failed: .*failing \(DEL/,
  });
  assert.deepEqual(podLinks(site), ["lo"]);
  assert.deepEqual(machineLinks(machine), ["br-test", "lo"]);
  assert.deepEqual(machine.leases("bridged"), []);
  assert.deepEqual(rulesOf(machine, [site.containerId, "8080", "10.77.0.2", "fd77::2"]), []);
});

test(
  "whatever plugin the caller died in, all is undone from what the record held",
  needsPlugins,
  async (t) => {
    const machine = new CniMachine(t);
    const network = bridgeNetwork(machine, "1.0.0");
    for (const [stored] of network.plugins.entries()) {
      const begun = network.plugins.slice(0, stored + 1);
      machine.writeConfiguration("10-bridge.conflist", { ...network, plugins: begun });
      const site = machine.makeSite(begun.length > 1 ? PORTS : {});
      await cniNetwork.attach(site);
      const [attachment] = site.saved[stored]?.attachments ?? [];
      assert.ok(attachment && (attachment.added ?? 0) === stored);
      site.record.attachments = [
        { ...attachment, configuration: { ...attachment.configuration, ...network } },
      ];
      await cniNetwork.detach(site);
      assert.deepEqual(podLinks(site), ["lo"]);
      assert.deepEqual(machineLinks(machine), ["br-test", "lo"]);
      assert.deepEqual(machine.leases("bridged"), []);
      assert.deepEqual(rulesOf(machine, [site.containerId, "8080", "10.77.0.", "fd77::"]), []);
    }
  },
);

test("after the namespace has gone, what is elsewhere is given back", needsPlugins, async (t) => {
  const machine = new CniMachine(t);
  const network = bridgeNetwork(machine, "1.0.0");
  // The bridge plugin knows its masquerading rules only by the addresses in the namespace.
  network.plugins[0] = { ...network.plugins[0], type: "bridge", ipMasq: false };
  machine.writeConfiguration("10-bridge.conflist", network);
  machine.writeConfiguration("99-loopback.conf", { cniVersion: "0.3.1", name: "lo", type: "loopback" });
  const site = machine.makeSite(PORTS);
  await cniNetwork.attach(site);
  machine.removeNamespace(site);
  await cniNetwork.detach(site);
  assert.deepEqual(site.record.attachments, []);
  assert.deepEqual(machineLinks(machine), ["br-test", "lo"]);
  assert.deepEqual(machine.leases("bridged"), []);
  assert.deepEqual(rulesOf(machine, [site.containerId, "8080", "10.77.0.2", "fd77::2"]), []);
});
