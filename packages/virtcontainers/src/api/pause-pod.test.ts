import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  createContainer,
  createPod,
  deleteContainer,
  deletePod,
  enterContainer,
  killContainer,
  pausePod,
  resumePod,
  runPod,
  startContainer,
  startPod,
  statusPod,
  stopContainer,
  stopPod,
} from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import type { CallOptions } from "../types/index.ts";

const REFUSED = { code: "ERR_STATE_INVALID", message: /is paused; it must be/, hint: /resume/i };

async function states(options: CallOptions): Promise<string[]> {
  const status = await statusPod("pod", options);
  return [status.state, ...status.containersStatus.map(({ state }) => state)];
}

test("each container of a resumed pod has the state that it had", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await runPod(config(), options);
  await createContainer("pod", container("new"), options);
  await stopContainer("pod", "b", options);
  await pausePod("pod", options);
  assert.deepEqual(await states(options), ["paused", "paused", "stopped", "ready"]);
  const pod = await resumePod("pod", options);
  assert.equal(pod.id(), "pod");
  assert.deepEqual(await states(options), ["running", "running", "stopped", "ready"]);
});

test("only a running pod is paused, and only a paused one resumed", async (t) => {
  const { config, options } = makeMockBench(t);
  await createPod(config(), options);
  await assert.rejects(pausePod("pod", options), { code: "ERR_STATE_INVALID" });
  await assert.rejects(resumePod("pod", options), { code: "ERR_STATE_INVALID" });
  await startPod("pod", options);
  await assert.rejects(resumePod("pod", options), { code: "ERR_STATE_INVALID" });
  await pausePod("pod", options);
  await assert.rejects(pausePod("pod", options), { code: "ERR_STATE_INVALID" });
  await stopPod("pod", options);
  for (const call of [pausePod, resumePod]) {
    await assert.rejects(call("pod", options), { code: "ERR_STATE_INVALID" });
    await assert.rejects(call("none", options), { code: "ERR_POD_NOT_FOUND" });
  }
});

test("what a paused pod cannot do is refused, and changes nothing", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await runPod(config(), options);
  await stopContainer("pod", "b", options);
  await pausePod("pod", options);
  const before = await statusPod("pod", options);
  await assert.rejects(startPod("pod", options), REFUSED);
  await assert.rejects(createContainer("pod", container("c"), options), REFUSED);
  await assert.rejects(startContainer("pod", "b", options), REFUSED);
  await assert.rejects(stopContainer("pod", "a", options), REFUSED);
  await assert.rejects(deleteContainer("pod", "a", options), REFUSED);
  await assert.rejects(killContainer("pod", "a", "SIGTERM", false, options), REFUSED);
  await assert.rejects(enterContainer("pod", "a", { args: ["true"] }, options), REFUSED);
  assert.deepEqual(await statusPod("pod", options), before);
});

test("a paused pod is stopped, started again, and deleted", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(), options);
  await pausePod("pod", options);
  await stopPod("pod", options);
  assert.deepEqual(await states(options), ["stopped", "stopped", "stopped"]);
  await startPod("pod", options);
  assert.deepEqual(await states(options), ["running", "running", "running"]);
  await pausePod("pod", options);
  await deletePod("pod", options);
  await assert.rejects(statusPod("pod", options), { code: "ERR_POD_NOT_FOUND" });
});

test("a pod that cannot be frozen goes on; one that cannot go on stays paused", async (t) => {
  const { config, options, root } = makeMockBench(t);
  await runPod(config({}, "pausePod"), options);
  await assert.rejects(pausePod("pod", options), { code: "ERR_QMP" });
  assert.deepEqual(await states(options), ["running", "running", "running"]);
  const record = join(root, "pods", "pod", "pod.json");
  assert.equal(JSON.parse(readFileSync(record, "utf8")).state, "running");
  await deletePod("pod", options);

  await runPod(config({}, "resumePod"), options);
  await pausePod("pod", options);
  await assert.rejects(resumePod("pod", options), { code: "ERR_QMP" });
  assert.deepEqual(await states(options), ["paused", "paused", "paused"]);
});

test("a pod whose VM ends while it is paused is stopped", async (t) => {
  const { config, options, root } = makeMockBench(t);
  await runPod(config(), options);
  await pausePod("pod", options);
  const path = join(root, "pods", "pod", "pod.json");
  const record = JSON.parse(readFileSync(path, "utf8"));
  // The process of the mock's VM is this one; one of another start time is gone.
  writeFileSync(path, JSON.stringify({ ...record, vm: { ...record.vm, startTime: "1" } }));
  assert.deepEqual(await states(options), ["stopped", "stopped", "stopped"]);
  assert.equal(JSON.parse(readFileSync(path, "utf8")).state, "paused", "a look changes nothing");
  await startPod("pod", options);
  assert.deepEqual(await states(options), ["running", "running", "running"]);
});
