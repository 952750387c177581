import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTestNamespace, testSite } from "../testing/test-namespace.ts";
import { cnmNetwork } from "./cnm.ts";
import { networkOf } from "./index.ts";

test("what somebody else has put into a namespace is found, and must be enough", needsRoot, async () => {
  assert.equal(networkOf("CNM"), cnmNetwork);
  await using namespace = makeTestNamespace();
  const find = (numInterfaces?: number) =>
    cnmNetwork.findEndpoints(testSite(namespace.path, numInterfaces === undefined ? {} : { numInterfaces }));
  assert.deepEqual(await find(), []);
  namespace.ip("link add eth0 type veth peer name other");
  namespace.ip("address add 10.1.0.2/24 dev eth0");
  namespace.ip("link set dev eth0 up");
  assert.deepEqual(
    (await find(1)).map(({ name }) => name),
    ["eth0"],
  );
  await assert.rejects(find(2), { code: "ERR_NETWORK_LINK", message: /has 1 of 2 interfaces wanted: eth0$/ });
});

test("the name servers of a namespace are those of /etc/netns", needsRoot, async (t) => {
  await using namespace = makeTestNamespace();
  const site = testSite(namespace.path);
  assert.equal(cnmNetwork.findDns(site), undefined);
  const directory = `/etc/netns/${namespace.name}`;
  const made = mkdirSync(directory, { recursive: true });
  t.after(() => {
    rmSync(directory, { recursive: true });
    // Other tests may have put something there meanwhile.
    if (made === "/etc/netns" && readdirSync(made).length === 0) rmdirSync(made);
  });
  writeFileSync(`${directory}/resolv.conf`, "nameserver 10.1.0.53\nsearch example.org\n");
  const dns = { servers: ["10.1.0.53"], search: ["example.org"], options: [] };
  assert.deepEqual(cnmNetwork.findDns(site), dns);
  assert.deepEqual(cnmNetwork.findDns(testSite(`/var${namespace.path}`)), dns);
  assert.equal(cnmNetwork.findDns(testSite("/proc/self/ns/net")), undefined);
});

test("what only plug-ins can do is refused", async () => {
  await cnmNetwork.check({ numInterfaces: 2, netNSPath: "/run/netns/blue" });
  const code = "ERR_CONFIG_INVALID";
  await assert.rejects(cnmNetwork.check({ cni: {} }), { code, message: /networkConfig\.cni: / });
  const portMappings = [{ hostPort: 1, containerPort: 1 }];
  await assert.rejects(cnmNetwork.check({ portMappings }), { code, message: /portMappings: / });
});
