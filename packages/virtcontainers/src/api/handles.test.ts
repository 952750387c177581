import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createPod, startPod, statusContainer } from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";

test("a container's handle tells its pod, its process and its annotations", async (t) => {
  const { config, container, options } = makeMockBench(t);
  const containers = [{ ...container("a"), annotations: { "org.example.a": "1" } }];
  const pod = await createPod(config({ containers }), options);
  const made = pod.getContainer("a");
  assert.ok(made);
  assert.equal(made.pod(), pod);
  assert.deepEqual(made.getAnnotations(), { "org.example.a": "1" });
  assert.deepEqual(made.process(), { token: made.getToken(), pid: -1, startTime: undefined });
  const started = (await startPod("pod", options)).getContainer("a");
  assert.ok(started?.process().startTime instanceof Date);
});

test("the process that stands for a container is told while it lives", async (t) => {
  const { config, options } = makeMockBench(t);
  const container = (await createPod(config(), options)).getContainer("a");
  assert.ok(container);
  const shim = spawn("sleep", ["1000"], { stdio: "ignore" });
  t.after(() => shim.kill("SIGKILL"));
  await once(shim, "spawn");
  await container.setPid(shim.pid ?? 0);
  assert.equal(container.getPid(), shim.pid);
  assert.equal(container.process().pid, shim.pid);
  assert.equal((await statusContainer("pod", "a", options)).pid, shim.pid);
  shim.kill("SIGKILL");
  await once(shim, "exit");
  assert.equal((await statusContainer("pod", "a", options)).pid, -1);
  for (const pid of [0, -1, 1.5, 2 ** 40, Number.NaN]) {
    await assert.rejects(container.setPid(pid), { code: "ERR_CONFIG_INVALID" });
  }
});
