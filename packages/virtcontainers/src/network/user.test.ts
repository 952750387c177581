import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { NetworkConfig, PortMapping } from "../types/index.ts";
import type { NetworkSite } from "./types.ts";
import { userNetwork } from "./user.ts";

function siteOf(containerId: string, config: NetworkConfig = {}): NetworkSite {
  return { containerId, config, record: { endpoints: [] }, save: () => {}, deadlineFactor: 1 };
}

async function listenTcp(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("the VM has one interface, with QEMU's own addresses", async () => {
  const [endpoint, ...others] = await userNetwork.findEndpoints(siteOf("one"));
  assert.equal(others.length, 0);
  assert.equal(endpoint?.kind, "user");
  assert.match(endpoint.mac, /^02(:[0-9a-f]{2}){5}$/);
  const again = await userNetwork.findEndpoints(siteOf("one"));
  const other = await userNetwork.findEndpoints(siteOf("two"));
  assert.equal(again[0]?.mac, endpoint.mac);
  assert.notEqual(other[0]?.mac, endpoint.mac);
  assert.deepEqual(userNetwork.findDns(siteOf("one"))?.servers, ["10.0.2.3"]);
});

test("what needs a namespace, a link or more interfaces is refused by its name", async () => {
  const refused: [NetworkConfig, RegExp][] = [
    [{ netNSPath: "/run/netns/x" }, /netNSPath/],
    [{ cni: {} }, /\.cni/],
    [{ numInterfaces: 2 }, /numInterfaces/],
    [{ interworkingModel: 1 }, /interworkingModel/],
  ];
  for (const [config, message] of refused) {
    await assert.rejects(userNetwork.check(config), { code: "ERR_CONFIG_INVALID", message });
  }
  await userNetwork.check({ numInterfaces: 1, interworkingModel: 0 });
});

test("a port that somebody has is told before QEMU is started, and freed when nobody has it", async (t) => {
  const taken = await listenTcp(t);
  const check = (mapping: Partial<PortMapping>) =>
    userNetwork.check({ portMappings: [{ hostPort: taken, containerPort: 80, ...mapping }] });
  const inUse = { code: "ERR_PORT_IN_USE", message: new RegExp(`${taken}/tcp`) };
  await assert.rejects(check({}), inUse);
  await assert.rejects(check({ hostAddress: "127.0.0.1" }), inUse);
  await check({ hostAddress: "127.0.0.2" });
  await check({ hostAddress: "127.0.0.2" });
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => socket.close());
  await once(socket, "listening");
  await assert.rejects(check({ hostPort: socket.address().port, protocol: "udp" }), {
    code: "ERR_PORT_IN_USE",
    message: /\/udp/,
  });
});

test("ports that clash with each other, and addresses that QEMU cannot listen on", async () => {
  const mapping = { hostPort: 40_001, containerPort: 80 };
  const check = (...portMappings: PortMapping[]) => userNetwork.check({ portMappings });
  const twice = { code: "ERR_CONFIG_INVALID", message: /40001\/tcp.*twice/ };
  await assert.rejects(check(mapping, { ...mapping, protocol: "tcp", containerPort: 81 }), twice);
  await assert.rejects(check(mapping, { ...mapping, hostAddress: "127.0.0.1" }), twice);
  await assert.rejects(check({ ...mapping, hostAddress: "127.0.0.1" }, mapping), twice);
  await check(
    { ...mapping, hostAddress: "127.0.0.1" },
    { ...mapping, hostAddress: "127.0.0.2" },
    { ...mapping, protocol: "udp" },
  );
  await assert.rejects(check({ ...mapping, hostAddress: "::1" }), { code: "ERR_NOT_SUPPORTED" });
  await assert.rejects(check({ ...mapping, hostAddress: "localhost" }), { code: "ERR_CONFIG_INVALID" });
  // Reserved for documentation: no machine has it.
  await assert.rejects(check({ ...mapping, hostAddress: "192.0.2.1" }), { code: "ERR_CONFIG_INVALID" });
});
