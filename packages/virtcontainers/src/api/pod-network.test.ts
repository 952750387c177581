import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  checkNetwork,
  createPod,
  deletePod,
  type Hook,
  listInterfaces,
  startPod,
  statusPod,
  stopPod,
} from "../index.ts";
import { whatIsLeft } from "../testing/failing-calls.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTestNamespace } from "../testing/test-namespace.ts";

/** Fills the namespace of the process that the hook is told of, as a network daemon does; `$1` has the other ends. */
const FILL = `
  pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
  ip -n "$1" link add far type veth peer name eth0 netns "$pid"
  ip -n "$1" link set dev far up
  nsenter --net=/proc/$pid/ns/net -- ip link set dev eth0 up
  nsenter --net=/proc/$pid/ns/net -- ip address add 10.66.3.2/24 dev eth0`;
/** Writes down which namespace that is. */
const LOOK = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); readlink /proc/$pid/ns/net > "$1"`;

test("a PreStart hook fills the namespace that is made for a pod, each time anew", needsRoot, async (t) => {
  const bench = makeMockBench(t);
  const { options, base } = bench;
  await using far = makeTestNamespace();
  const seen = join(base, "seen");
  const hook = (script: string, ...args: string[]): Hook => ({
    path: "/bin/sh",
    args: ["sh", "-ec", script, "hook", ...args],
    env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
  });
  const hooks = { preStartHooks: [hook(FILL, far.name)], postStopHooks: [hook(LOOK, seen)] };
  const config = bench.config({ networkModel: "CNM", networkConfig: { numInterfaces: 1 }, hooks });
  await createPod(config, options);
  for (let round = 0; round < 2; round++) {
    const { network } = await statusPod("pod", options);
    const path = network?.netNSPath ?? "";
    assert.match(path, /^\/run\/netns\/husk-[0-9a-f-]{36}$/);
    assert.equal(network?.model, "CNM");
    const [eth0, ...others] = await listInterfaces("pod", options);
    assert.deepEqual(others, []);
    const { mac, ...known } = eth0 ?? { mac: "" };
    assert.match(mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    assert.deepEqual(known, {
      ...{ name: "eth0", mtu: 1500, addresses: ["10.66.3.2/24"], kind: "veth", interworking: "tcFilter" },
      removable: false,
    });
    await checkNetwork("pod", options);
    far.ip("link delete dev far");
    await assert.rejects(checkNetwork("pod", options), { code: "ERR_NETWORK_LINK", message: /vanished/ });
    await stopPod("pod", options);
    assert.match(readFileSync(seen, "utf8"), /^net:\[\d+\]\n$/);
    assert.ok(!existsSync(path));
    assert.equal((await statusPod("pod", options)).network, undefined);
    assert.deepEqual(await listInterfaces("pod", options), []);
    if (round === 0) await startPod("pod", options);
  }
  await deletePod("pod", options);
  assert.deepEqual(whatIsLeft(bench), []);
});

test(
  "a hook that puts too little into the namespace fails the creation, which leaves nothing",
  needsRoot,
  async (t) => {
    const bench = makeMockBench(t);
    const config = bench.config({ networkModel: "CNM", networkConfig: { numInterfaces: 1 } });
    await assert.rejects(createPod(config, bench.options), { code: "ERR_NETWORK_LINK" });
    assert.deepEqual(whatIsLeft(bench), []);
  },
);
