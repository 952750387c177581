import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { type PodRecord, RECORD_VERSION } from "../store/pod-record.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTestNamespace, skipDuplicateDetection } from "../testing/test-namespace.ts";
import { NetInterworkingModel } from "../types/kinds.ts";
import { leaveNetworks, releaseNetwork } from "./release.ts";
import { joinNetworks, prepareNamespace } from "./set-up.ts";

const SITE = { save: () => {}, deadlineFactor: 6 };

function podIn(netNSPath: string, model: keyof typeof NetInterworkingModel): PodRecord {
  const creator = identifyProcess(process.pid);
  assert.ok(creator);
  const networkConfig = { netNSPath, interworkingModel: NetInterworkingModel[model] };
  return {
    version: RECORD_VERSION,
    state: "creating",
    createdAt: new Date().toISOString(),
    uuid: randomUUID(),
    creator,
    config: { id: "pod", networkModel: "CNM", networkConfig },
    containers: {},
    drives: [],
    shares: [],
  };
}

for (const model of ["tcFilter", "bridged", "macvtap"] as const) {
  test(`networks that a pod has left are joined anew, as at first (${model})`, needsRoot, async () => {
    await using namespace = makeTestNamespace();
    await using far = makeTestNamespace();
    skipDuplicateDetection(namespace);
    namespace.ip(`link add eth0 type veth peer name eth0 netns ${far.name}`);
    far.ip("link set dev eth0 up");
    namespace.ip("link set dev eth0 up");
    namespace.ip("address add 10.66.1.2/24 dev eth0");
    namespace.ip("route add default via 10.66.1.1");
    const before = namespace.dump();
    const record = podIn(namespace.path, model);
    await prepareNamespace(record, SITE);
    const first = await joinNetworks(record, 1, SITE);
    await leaveNetworks(record, SITE);
    assert.deepEqual(namespace.dump(), before);
    assert.deepEqual(record.network, { netNSPath: namespace.path, endpoints: [] });
    const second = await joinNetworks(record, 1, SITE);
    const names = (network: typeof first) => network?.nics.map(({ name, mac, mtu }) => [name, mac, mtu]);
    assert.deepEqual(names(second), names(first));
    assert.equal(names(second)?.length, 1);
    await releaseNetwork(record, SITE);
    assert.deepEqual(namespace.dump(), before);
  });
}

test("a namespace that was made for a pod stays when it leaves its networks", needsRoot, async () => {
  const record = podIn("", "tcFilter");
  delete record.config.networkConfig?.netNSPath;
  await prepareNamespace(record, SITE);
  const { netNSPath } = record.network ?? {};
  assert.ok(netNSPath);
  try {
    await joinNetworks(record, 1, SITE);
    await leaveNetworks(record, SITE);
    assert.deepEqual(record.network, { netNSPath, created: true, endpoints: [] });
    await joinNetworks(record, 1, SITE);
  } finally {
    await releaseNetwork(record, SITE);
  }
  assert.equal(record.network, undefined);
});
