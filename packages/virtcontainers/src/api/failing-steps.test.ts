import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  createContainer,
  createPod,
  deletePod,
  enterContainer,
  pauseContainer,
  pausePod,
  resumePod,
  runPod,
  startContainer,
  startPod,
  statusPod,
  stopContainer,
  stopPod,
  updateContainer,
  updatePod,
} from "../index.ts";
import { failAt, fails, INJECTED, whatIsLeft } from "../testing/failing-calls.ts";
import { type MockBench, makeMockBench } from "../testing/mock-pod.ts";
import type { CallOptions, ContainerConfig, PodConfig } from "../types/index.ts";

/** A pod to call something on, and the call. */
interface Scene {
  readonly prepare: (config: PodConfig, options: CallOptions) => Promise<unknown>;
  readonly call: (options: CallOptions, container: ContainerConfig) => Promise<unknown>;
}

const RESOURCES = { cpu: { quota: 50_000, period: 100_000 }, memory: { limit: 64 * 1024 * 1024 } };

const SCENES: Record<string, Scene> = {
  createContainer: {
    prepare: runPod,
    call: (options, container) => createContainer("pod", container, options),
  },
  startContainer: {
    prepare: async (config, options) => {
      await runPod(config, options);
      await stopContainer("pod", "b", options);
    },
    call: (options) => startContainer("pod", "b", options),
  },
  enterContainer: {
    prepare: runPod,
    call: (options) => enterContainer("pod", "a", { args: ["true"] }, options),
  },
  startPod: { prepare: createPod, call: (options) => startPod("pod", options) },
  "startPod of a stopped pod": {
    prepare: async (config, options) => {
      await runPod(config, options);
      await stopPod("pod", options);
    },
    call: (options) => startPod("pod", options),
  },
  pausePod: { prepare: runPod, call: (options) => pausePod("pod", options) },
  updatePod: { prepare: runPod, call: (options) => updatePod("pod", { vcpus: 2, memory: 512 }, options) },
  updateContainer: {
    prepare: runPod,
    call: (options) => updateContainer("pod", "a", RESOURCES, options),
  },
  "createContainer with limits": {
    prepare: runPod,
    call: (options, container) => createContainer("pod", { ...container, resources: RESOURCES }, options),
  },
  pauseContainer: { prepare: runPod, call: (options) => pauseContainer("pod", "a", options) },
};

for (const [name, { prepare, call }] of Object.entries(SCENES)) {
  test(`${name}: whichever step fails, the pod is as before, and the call can be made again`, async (t) => {
    const bench = makeMockBench(t);
    const { options } = bench;
    const other = { ...bench.container("c"), rootFs: join(bench.base, "other") };
    cpSync(bench.rootFs, other.rootFs, { recursive: true });
    for (let step = 0; ; step++) {
      await prepare(bench.config(), options);
      const before = await look(bench);
      const outcome = await call({ ...options, ...failAt(step) }, other).catch((error: unknown) => error);
      if (outcome !== INJECTED) {
        assert.ok(step > 0, String(outcome));
        return;
      }
      assert.deepEqual(await look(bench), before, `step ${step}`);
      await call(options, other);
      await deletePod("pod", options);
      assert.deepEqual(whatIsLeft(bench), []);
    }
  });
}

test("createPod, runPod: whichever step fails, nothing is left", async (t) => {
  const bench = makeMockBench(t);
  for (const call of [createPod, runPod]) {
    let step = 0;
    for (; await fails(call(bench.config(), { ...bench.options, ...failAt(step) })); step++) {
      assert.deepEqual(whatIsLeft(bench), [], `${call.name}, step ${step}`);
    }
    assert.ok(step > 4);
    await deletePod("pod", bench.options);
  }
});

for (const call of [stopPod, deletePod, resumePod]) {
  test(`${call.name}: whichever step fails, the call can be made again`, async (t: TestContext) => {
    const bench = makeMockBench(t);
    const { options } = bench;
    for (let step = 0; ; step++) {
      await runPod(bench.config(), options);
      if (call === resumePod) await pausePod("pod", options);
      const failed = await fails(call("pod", { ...options, ...failAt(step) }));
      const isThere = existsSync(join(bench.root, "pods", "pod"));
      if (failed && isThere) await callAgain(call, options);
      if (isThere && (call !== deletePod || !failed)) await deletePod("pod", options);
      assert.deepEqual(whatIsLeft(bench), [], `step ${step}`);
      if (!failed && step > 4) return;
    }
  });
}

/** Makes a call that has failed again. It may have failed when all was done. */
async function callAgain(call: typeof stopPod, options: CallOptions): Promise<void> {
  const { state } = await statusPod("pod", options);
  if (call !== resumePod || state === "paused") await call("pod", options);
}

/** All that is stored of the pod, with what this process knows; but for memory, which stays when it has come. */
async function look({ root, options }: MockBench): Promise<unknown> {
  const record = JSON.parse(readFileSync(join(root, "pods", "pod", "pod.json"), "utf8"));
  delete record.vmSize?.memory;
  return { record, status: { ...(await statusPod("pod", options)), memory: undefined } };
}
