import assert from "node:assert/strict";
import { test } from "node:test";
import { needsRoot } from "../../testing/needs-root.ts";
import { makeTestNamespace, testSite } from "../../testing/test-namespace.ts";
import { NetInterworkingModel } from "../../types/kinds.ts";
import { checkLinks } from "../check-links.ts";
import { scanNamespace } from "../scan.ts";
import type { EndpointRecord } from "../types.ts";
import { chooseJoin, connectEndpoint, disconnectEndpoint } from "./index.ts";

test("a link that was made for a VM is taken as it is, and set up for as long", needsRoot, async () => {
  await using peer = makeTestNamespace();
  await using namespace = makeTestNamespace();
  const { ip } = namespace;
  ip(`link add base type veth peer name port netns ${peer.name}`);
  ip("tuntap add dev one mode tap vnet_hdr");
  ip("tuntap add dev many mode tap vnet_hdr multi_queue");
  ip("link add link base name vtap index 8123456 type macvtap mode bridge");
  // A link keeps the queue that it gets when it is first set up.
  for (const state of ["up", "down"]) {
    for (const name of ["one", "many", "vtap"]) ip(`link set dev ${name} ${state}`);
  }
  const before = namespace.dump();
  const site = testSite(namespace.path);
  const backends: unknown[] = [];
  for (const endpoint of await scanNamespace(site)) {
    const joined: EndpointRecord = { endpoint, model: chooseJoin(NetInterworkingModel.bridged, endpoint) };
    site.record.endpoints.push(joined);
    backends.push(await connectEndpoint(joined, site, 1));
  }
  assert.deepEqual(backends, [
    { backend: { type: "tap", ifName: "one", queues: 1 } },
    { backend: { type: "tap", ifName: "many", queues: 2 } },
    { backend: { type: "macvtap", path: "/dev/tap8123456", queues: 1 } },
  ]);
  await checkLinks(site);
  for (const joined of site.record.endpoints) await disconnectEndpoint(joined, site);
  assert.deepEqual(namespace.dump(), before);
});

test("the device node of another namespace's link is not taken", needsRoot, async () => {
  await using namespace = makeTestNamespace();
  await using other = makeTestNamespace();
  for (const { ip } of [other, namespace]) {
    ip("link add base type veth peer name port");
    ip("link add link base name vtap index 8123457 type macvtap mode bridge");
  }
  const site = testSite(namespace.path);
  const [endpoint] = await scanNamespace(site);
  assert.ok(endpoint);
  const joined: EndpointRecord = { endpoint, model: "direct" };
  const code = "ERR_NETWORK_LINK";
  await assert.rejects(connectEndpoint(joined, site), { code, message: /tap8123457 is another namespace's/ });
});
