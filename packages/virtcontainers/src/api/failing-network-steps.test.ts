import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  addInterface,
  createPod,
  deletePod,
  listInterfaces,
  removeInterface,
  runPod,
  startPod,
  stopPod,
} from "../index.ts";
import { failAt, fails, whatIsLeft } from "../testing/failing-calls.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTestNamespace, skipDuplicateDetection, type TestNamespace } from "../testing/test-namespace.ts";
import { NetInterworkingModel } from "../types/kinds.ts";

/** A namespace with a link eth0, which has addresses and the default route, and a link lan, which has none and is down. */
function makeNamespace(t: TestContext): TestNamespace {
  const [namespace, far] = [makeTestNamespace(), makeTestNamespace()];
  t.after(() => Promise.all([namespace[Symbol.asyncDispose](), far[Symbol.asyncDispose]()]));
  skipDuplicateDetection(namespace);
  for (const name of ["eth0", "lan"]) {
    namespace.ip(`link add ${name} type veth peer name ${name} netns ${far.name}`);
    far.ip(`link set dev ${name} up`);
    // A link that was never up has another queue than one that was.
    namespace.ip(`link set dev ${name} up`);
  }
  namespace.ip("link set dev lan down");
  namespace.ip("address add 10.66.1.2/24 dev eth0");
  namespace.ip("address add fd66:1::2/64 dev eth0");
  namespace.ip("route add default via 10.66.1.1");
  return namespace;
}

/** A pod on the mock hypervisor in that namespace, and what was there before it. */
function makeScene(t: TestContext, model: "tcFilter" | "bridged" | "macvtap") {
  const bench = makeMockBench(t);
  const namespace = makeNamespace(t);
  const interworkingModel = NetInterworkingModel[model];
  const config = bench.config({
    networkModel: "CNM",
    networkConfig: { netNSPath: namespace.path, interworkingModel },
  });
  const checkNothingLeft = (what: string) => {
    assert.deepEqual(whatIsLeft(bench), [], what);
    assert.deepEqual(namespace.dump(), before, what);
  };
  const before = namespace.dump();
  return { ...bench, config, namespace, checkNothingLeft };
}

for (const model of ["tcFilter", "bridged", "macvtap"] as const) {
  test(
    `whichever step of a pod's life fails, its namespace is given back (${model})`,
    needsRoot,
    async (t) => {
      const { options, config, checkNothingLeft } = makeScene(t, model);
      let step = 0;
      for (; await fails(runPod(config, { ...options, ...failAt(step) })); step++) {
        checkNothingLeft(`runPod, step ${step}`);
      }
      assert.ok(step > 4);
      await deletePod("pod", options);
      checkNothingLeft("deletePod");
      for (const call of [startPod, stopPod, deletePod]) {
        await createPod(config, options);
        if (call === startPod) await stopPod("pod", options);
        step = 0;
        while (await fails(call("pod", { ...options, ...failAt(step) }).catch(forgiveGone))) step++;
        assert.ok(step > 0);
        await deletePod("pod", options).catch(forgiveGone);
        checkNothingLeft(call.name);
      }
    },
  );
}

/** A deletion may have failed when all was done. */
function forgiveGone(error: Error & { code?: string }): void {
  if (error.code !== "ERR_POD_NOT_FOUND") throw error;
}

test(
  "whichever step of adding or removing an interface fails, it is there as a whole or not at all",
  needsRoot,
  async (t) => {
    const { options, config, namespace, checkNothingLeft } = makeScene(t, "tcFilter");
    await runPod(config, options);
    namespace.ip("link set dev lan up");
    namespace.ip("address add 10.66.2.2/24 dev lan");
    const without = namespace.dump();
    const names = async () => (await listInterfaces("pod", options)).map(({ name }) => name);
    let step = 0;
    for (; await fails(addInterface("pod", { link: "lan" }, { ...options, ...failAt(step) })); step++) {
      assert.deepEqual(await names(), ["eth0"], `addInterface, step ${step}`);
      assert.deepEqual(namespace.dump(), without, `addInterface, step ${step}`);
    }
    assert.ok(step > 2);
    assert.deepEqual(await names(), ["eth0", "lan"]);
    await assert.rejects(addInterface("pod", { link: "lan" }, options), { code: "ERR_NETWORK_CLASH" });
    await assert.rejects(removeInterface("pod", "eth0", options), { code: "ERR_NOT_SUPPORTED" });
    await assert.rejects(removeInterface("pod", "eth1", options), { code: "ERR_NETWORK_LINK" });
    for (step = 0; await fails(removeInterface("pod", "lan", { ...options, ...failAt(step) })); step++) {
      // The change is announced: whoever comes next finishes it.
      if (!(await names()).includes("lan")) await addInterface("pod", { link: "lan" }, options);
    }
    assert.deepEqual(await names(), ["eth0"]);
    assert.deepEqual(namespace.dump(), without);
    await deletePod("pod", options);
    namespace.ip("address delete 10.66.2.2/24 dev lan");
    namespace.ip("link set dev lan down");
    checkNothingLeft("deletePod");
  },
);
