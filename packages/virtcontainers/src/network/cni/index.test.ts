import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CniMachine, needsPlugins, runIn } from "../../testing/cni-machine.ts";
import { checkAttachments, cniNetwork } from "./index.ts";

/** A machine with a network `net` on a bridge and one `plain` of a veth pair, and a loopback. */
function makeMachine(t: TestContext): CniMachine {
  const machine = new CniMachine(t);
  const ipam = (subnet: string) => ({ type: "host-local", dataDir: machine.dataDir, subnet });
  const bridge = { type: "bridge", bridge: "br-test", ipam: ipam("10.1.0.0/24") };
  machine.writeConfiguration("1.conf", { cniVersion: "1.0.0", name: "net", ...bridge });
  const ptp = { type: "ptp", ipam: ipam("10.2.0.0/24"), dns: { nameservers: ["10.2.0.53"] } };
  machine.writeConfiguration("2.conf", { cniVersion: "1.0.0", name: "pair", ...ptp });
  machine.writeConfiguration("9.conf", { cniVersion: "1.0.0", name: "lo", type: "loopback" });
  return machine;
}

test("the check finds what is missing before anything is made", needsPlugins, async (t) => {
  const machine = makeMachine(t);
  const check = (config = {}) => cniNetwork.check({ ...config, cni: { ...machine.cni, ...config } });
  await check();
  await check({ networks: ["pair", "net"] });
  await assert.rejects(check({ networks: ["none"] }), {
    code: "ERR_CNI_CONFIG",
    message: /networks there: net, pair/,
  });
  await assert.rejects(check({ binDirs: ["/nowhere"] }), {
    code: "ERR_CNI_PLUGIN_MISSING",
    message: /plugin bridge/,
  });
  machine.removePlugin("host-local");
  await assert.rejects(check(), {
    code: "ERR_CNI_PLUGIN_MISSING",
    message: /net needs the plugin host-local/,
  });
  assert.equal(machine.run("ip", "-brief", "link", "show", "type", "bridge"), "");
});

test("host ports without a plugin that maps them are refused", needsPlugins, async (t) => {
  const machine = makeMachine(t);
  const config = { cni: machine.cni, numInterfaces: 2, portMappings: [{ hostPort: 80, containerPort: 80 }] };
  await assert.rejects(cniNetwork.check(config), {
    code: "ERR_CNI_CONFIG",
    message: "no CNI network of the pod can map ports (networks: net, pair)",
    hint: /portmap/,
  });
});

test("a pod without networks has a namespace with its loopback", needsPlugins, async (t) => {
  const site = makeMachine(t).makeSite({ numInterfaces: 0 });
  await cniNetwork.attach(site);
  assert.deepEqual(
    site.record.attachments?.map(({ ifName }) => ifName),
    ["lo"],
  );
  assert.deepEqual(await cniNetwork.findEndpoints(site), []);
  assert.equal(cniNetwork.findDns(site), undefined);
  await cniNetwork.detach(site);
  await cniNetwork.detach(site);
});

test("links of a namespace that was given are left alone", needsPlugins, async (t) => {
  const site = makeMachine(t).makeSite({}, { given: true });
  const ip = (...args: string[]) => runIn(site.record.netNSPath, "ip", ...args);
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "other");
  await assert.rejects(cniNetwork.attach(site), {
    code: "ERR_NETWORK_CLASH",
    message: /has an interface eth0 already/,
  });
  await cniNetwork.detach(site);
  assert.match(ip("-brief", "link"), /eth0@other/);
  ip("link", "set", "eth0", "name", "eth1");
  await cniNetwork.attach(site);
  assert.deepEqual(
    site.record.attachments?.map(({ ifName }) => ifName),
    ["eth0"],
  );
  assert.equal(await cniNetwork.join(site, "pair"), "eth2");
  await cniNetwork.detach(site);
  assert.match(ip("-brief", "link"), /^lo +UNKNOWN .*\nother@eth1 .*\neth1@other .*\n$/);
});

test("a namespace that is not there, or is none, is told", needsPlugins, async (t) => {
  const machine = makeMachine(t);
  for (const given of [true, false]) {
    const site = machine.makeSite({}, { given });
    machine.removeNamespace(site);
    await assert.rejects(cniNetwork.attach(site), { code: "ERR_NETWORK_NAMESPACE" });
    await assert.rejects(cniNetwork.join(site, "net"), { code: "ERR_NETWORK_NAMESPACE" });
    site.record.netNSPath = machine.base;
    await assert.rejects(cniNetwork.attach(site), { code: "ERR_NETWORK_NAMESPACE" });
    assert.equal(site.record.attachments, undefined);
  }
});

test(
  "what plugins have made is found in the namespace, and missed when it vanishes",
  needsPlugins,
  async (t) => {
    const site = makeMachine(t).makeSite({ numInterfaces: 2 });
    await cniNetwork.attach(site);
    const endpoints = await cniNetwork.findEndpoints(site);
    assert.deepEqual(
      endpoints.map(({ name, kind, addresses }) => [name, kind, addresses]),
      [
        ["eth0", "veth", [{ address: "10.1.0.2", prefix: 24 }]],
        ["eth1", "veth", [{ address: "10.2.0.2", prefix: 24 }]],
      ],
    );
    assert.deepEqual(cniNetwork.findDns(site), { servers: ["10.2.0.53"], search: [], options: [] });
    runIn(site.record.netNSPath, "ip", "link", "delete", "eth1");
    await assert.rejects(cniNetwork.findEndpoints(site), {
      code: "ERR_NETWORK_LINK",
      message: /the interface eth1 of the CNI network pair is not in the namespace/,
    });
    await assert.rejects(checkAttachments(site), {
      code: "ERR_CNI_PLUGIN",
      message: /network pair, interface eth1/,
    });
    await cniNetwork.detach(site);
  },
);

test(
  "a network joined while the VM runs is undone when it fails, and the others stay",
  needsPlugins,
  async (t) => {
    const machine = makeMachine(t);
    const site = machine.makeSite({});
    await cniNetwork.attach(site);
    machine.writeConfiguration("3.conf", { cniVersion: "1.0.0", name: "bad", type: "failing" });
    await assert.rejects(cniNetwork.join(site, "bad"), { code: "ERR_CNI_PLUGIN_MISSING" });
    machine.writePlugin("failing", '[ "$CNI_COMMAND" = DEL ] || exit 1');
    await assert.rejects(cniNetwork.join(site, "bad"), { code: "ERR_CNI_PLUGIN" });
    await assert.rejects(cniNetwork.join(site, "none"), { code: "ERR_CNI_CONFIG" });
    assert.deepEqual(
      site.record.attachments?.map(({ network }) => network),
      ["lo", "net"],
    );
    await cniNetwork.leave(site, "eth7");
    await cniNetwork.leave(site, "eth0");
    assert.equal(await cniNetwork.join(site, "net"), "eth0");
    await cniNetwork.detach(site);
  },
);

test("an aborted call asks no plugin", needsPlugins, async (t) => {
  const site = makeMachine(t).makeSite({}, { given: true, signal: AbortSignal.abort() });
  await assert.rejects(cniNetwork.attach(site), { code: "ERR_ABORTED" });
  await cniNetwork.detach(site);
});
