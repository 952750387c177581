import assert from "node:assert/strict";
import { describe } from "node:test";
import { deletePod, type PodConfig, runPod, statusPod } from "@husk/virtcontainers";
import { CacheServer } from "./support/cache-server.ts";
import { IDENTITY } from "./support/identity.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const MEMORY = 128;
const POOL = 4;
/** requests in a row; part n of the benchmark makes a hundred */
const REQUESTS = 20;
const AT_ONCE = 2;

function podOf(place: Workplace, id: string): PodConfig {
  return {
    id,
    hypervisorConfig: { ...place.hypervisorConfig, defaultBridges: 4 },
    agentType: "hyperstart",
    vmConfig: { memory: MEMORY },
    networkModel: "user",
    containers: [{ id, rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000000"] } }],
  };
}

/** What came of a request. */
interface Request {
  /** whether its VM had waited: on a busy machine there may be none in time, and it gets a copy made for it */
  readonly hit: boolean;
  /** process id of the VM, and what its guest has of its own */
  readonly identity: readonly string[];
}

async function request(place: Workplace, id: string): Promise<Request> {
  let hit = false;
  await runPod(podOf(place, id), {
    ...place.options,
    factory: { vmCacheNumber: 1, template: true },
    onPhase: ({ name }) => {
      hit ||= name === "vm-claimed";
    },
    onWarning: ({ message }) => assert.match(message, /no answer to GetBaseVM within/),
  });
  const { hypervisorPid } = await statusPod(id, place.options);
  const lines = (await runScript(place, id, id, IDENTITY)).trim().split("\n");
  return { hit, identity: [String(hypervisorPid), ...lines] };
}

describe("many who ask for VMs that wait", () => {
  it(`get one each, ${REQUESTS} of a pool of ${POOL}, and none is like another`, async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using server = await CacheServer.ready(place, [
      "--number",
      String(POOL),
      "--template",
      "--memory",
      String(MEMORY),
    ]);
    const requests: Request[] = [];
    for (let first = 0; first < REQUESTS; first += AT_ONCE) {
      const ids = Array.from({ length: AT_ONCE }, (_, index) => `pod${first + index}`);
      requests.push(...(await Promise.all(ids.map((id) => request(place, id)))));
      await Promise.all(ids.map((id) => deletePod(id, place.options)));
    }
    assert.equal(requests.length, REQUESTS);
    const found = requests.map(({ identity }) => identity);
    for (const index of [0, 1, 2, 3, 4, 5])
      assert.equal(
        new Set(found.map((lines) => lines[index])).size,
        REQUESTS,
        `line ${index} of ${found.join("\n")}`,
      );
    const hits = requests.filter(({ hit }) => hit).length;
    const { claimed, lost } = await server.status();
    assert.deepEqual([claimed, lost], [hits, 0]);
    assert.ok(hits >= POOL, `${hits} hits`);
  });
});
