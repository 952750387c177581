import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  addInterface,
  checkNetwork,
  createPod,
  deletePod,
  listInterfaces,
  listPod,
  NetInterworkingModel,
  type PodConfig,
} from "@husk/virtcontainers";
import { skipDuplicateDetection } from "@husk/virtcontainers/testing/test-namespace";
import { type DeadlyPrograms, makeDeadlyPrograms } from "./support/deadly-programs.ts";
import { type DoomedCall, makeDoomedCall } from "./support/doomed-call.ts";
import { needsRoot } from "./support/needs-root.ts";
import { type TestNamespace, TestNetworks, wire } from "./support/network-namespaces.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "pod";
const MOCK: Pick<PodConfig, "hypervisorType" | "agentType"> = { hypervisorType: "mock", agentType: "noop" };

/** Makes and deletes another pod: whoever makes one clears what dead callers have left. */
async function makeAnother({ options }: Workplace): Promise<void> {
  await createPod({ id: "other", ...MOCK }, options);
  await deletePod("other", options);
}

/** A namespace with a link that has addresses, routes and a neighbour. */
function makeGiven(networks: TestNetworks): TestNamespace {
  const [given, peer] = [networks.add(), networks.add()];
  skipDuplicateDetection(given);
  const addresses = ["10.8.0.2/24", "fd80::2/64"];
  wire({ namespace: given, name: "eth0", addresses }, { namespace: peer, name: "peer0" });
  given.ip("route add default via 10.8.0.1 metric 7");
  given.ip("-6 route add default via fd80::1");
  given.ip("neighbour add 10.8.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent");
  return given;
}

/**
 * Makes a call in a process that is killed after its first change of the host's networks, then in one that is killed after
 * its second, and so on, until it is done before.
 * @returns the number of changes
 */
async function afterEachChange(
  place: Workplace,
  programs: DeadlyPrograms,
  call: DoomedCall["calls"][number],
  repair: (what: string) => Promise<void>,
): Promise<number> {
  for (let changes = 1; ; changes++) {
    const died = await makeDoomedCall(place, { calls: [call] }, programs.killAfter(changes));
    if (died === undefined) return changes - 1;
    await repair(`${call[0]}, killed after change ${changes}, ${died}`);
  }
}

describe("a caller that is killed at any change of the host's networks", needsRoot, () => {
  for (const model of ["tcFilter", "bridged", "macvtap"] as const) {
    it(`leaves a namespace that the next call gives back as it was (${model})`, async ({ signal }) => {
      await using networks = new TestNetworks();
      const given = makeGiven(networks);
      await using place = await Workplace.create(signal);
      const { options } = place;
      const programs = makeDeadlyPrograms(place);
      const config: PodConfig = {
        ...{ id: POD, ...MOCK, networkModel: "CNM" },
        networkConfig: { netNSPath: given.path, interworkingModel: NetInterworkingModel[model] },
      };
      const before = given.dump();
      const clean = async (what: string) => {
        await makeAnother(place);
        for (const { id } of await listPod(options)) await deletePod(id, options);
        assert.deepEqual(given.dump(), before, what);
      };
      assert.ok((await afterEachChange(place, programs, ["createPod", config], clean)) > 5);
      await clean("createPod");
      await createPod(config, options);
      const deleted = await afterEachChange(place, programs, ["deletePod", POD], async (what) => {
        await clean(what);
        await createPod(config, options);
      });
      assert.ok(deleted > 1);
      assert.deepEqual(given.dump(), before);
    });
  }

  it("leaves an interface that was being added or removed to whoever comes next", async ({ signal }) => {
    await using networks = new TestNetworks();
    const given = makeGiven(networks);
    await using place = await Workplace.create(signal);
    const { options } = place;
    const programs = makeDeadlyPrograms(place);
    const names = async () => (await listInterfaces(POD, options)).map(({ name }) => name);
    await createPod(
      { ...{ id: POD, ...MOCK, networkModel: "CNM" }, networkConfig: { netNSPath: given.path } },
      options,
    );
    given.ip("link add eth1 type veth peer name peer1");
    given.ip("link set dev eth1 up");
    given.ip("address add 10.8.1.2/24 dev eth1");
    const before = given.dump();
    const add = ["addInterface", POD, { link: "eth1" }] as const;
    const added = await afterEachChange(place, programs, add, async (what) => {
      assert.deepEqual(await names(), ["eth0"], what);
      await checkNetwork(POD, options);
      assert.deepEqual(given.dump(), before, what);
    });
    assert.ok(added > 3);
    assert.deepEqual(await names(), ["eth0", "eth1"]);
    const removed = await afterEachChange(place, programs, ["removeInterface", POD, "eth1"], async (what) => {
      assert.deepEqual(await names(), ["eth0"], what);
      await addInterface(POD, { link: "eth1" }, options);
    });
    assert.ok(removed > 1);
    assert.deepEqual(given.dump(), before);
    await deletePod(POD, options);
  });
});
