import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createContainer,
  createPod,
  deleteContainer,
  enterContainer,
  killContainer,
  processListContainer,
  runPod,
  startContainer,
  startPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
} from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";

test("a container's life in a running pod", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await runPod(config(), options);
  const made = await createContainer("pod", container("c"), options);
  assert.equal(made.container.id(), "c");
  assert.equal((await statusContainer("pod", "c", options)).state, "ready");
  const io = made.container.attach();
  await startContainer("pod", "c", options);
  await assert.rejects(startContainer("pod", "c", options), { code: "ERR_STATE_INVALID" });
  await assert.rejects(deleteContainer("pod", "c", options), { code: "ERR_STATE_INVALID", containerId: "c" });
  await stopContainer("pod", "c", options);
  assert.deepEqual(await io.wait(), { exitCode: 143 });
  const { state, exitCode } = await statusContainer("pod", "c", options);
  assert.deepEqual([state, exitCode], ["stopped", 143]);
  await stopContainer("pod", "c", options);
  await startContainer("pod", "c", options);
  assert.equal((await statusContainer("pod", "c", options)).exitCode, undefined);
  await stopContainer("pod", "c", options);
  await deleteContainer("pod", "c", options);
  await assert.rejects(statusContainer("pod", "c", options), { code: "ERR_CONTAINER_NOT_FOUND" });
  assert.deepEqual(
    (await statusPod("pod", options)).containersStatus.map(({ id }) => id),
    ["a", "b"],
  );
});

test("an end that nobody asked for is stored", async (t) => {
  const { config, options } = makeMockBench(t);
  const pod = await createPod(config(), options);
  const io = pod.getContainer("a")?.attach();
  await startPod("pod", options);
  await killContainer("pod", "a", "SIGKILL", true, options);
  assert.deepEqual(await io?.wait(), { exitCode: 137 });
  const { state, exitCode } = await statusContainer("pod", "a", options);
  assert.deepEqual([state, exitCode], ["stopped", 137]);
  assert.equal((await statusContainer("pod", "b", options)).state, "running");
});

test("a second container of an id, and one in a pod that is not there, are refused", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await createPod(config(), options);
  await assert.rejects(createContainer("pod", container("a"), options), { code: "ERR_CONTAINER_EXISTS" });
  await assert.rejects(createContainer("none", container("a"), options), { code: "ERR_POD_NOT_FOUND" });
  await assert.rejects(createContainer("pod", { ...container("x"), rootFs: "/none/at/all" }, options), {
    code: "ERR_ROOTFS_MISSING",
  });
  assert.equal((await statusPod("pod", options)).containersStatus.length, 2);
});

test("a container made while the pod is stopped starts with it", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await runPod(config(), options);
  await stopPod("pod", options);
  await createContainer("pod", container("late"), options);
  await startPod("pod", options);
  assert.equal((await statusContainer("pod", "late", options)).state, "running");
});

test("a disk that cannot be plugged leaves the pod as it was", async (t) => {
  const { config, container, base, options } = makeMockBench(t);
  await createPod(config({}, "hotplugAddDevice"), options);
  const other = { ...container("c"), rootFs: `${base}/other` };
  const { mkdirSync } = await import("node:fs");
  mkdirSync(other.rootFs);
  await assert.rejects(createContainer("pod", other, options), { code: "ERR_QMP" });
  await createContainer("pod", container("same-image"), options);
  const ids = (await statusPod("pod", options)).containersStatus.map(({ id }) => id);
  assert.deepEqual(ids, ["a", "b", "same-image"]);
});

test("a command runs in a container that runs, and in no other", async (t) => {
  const { config, options } = makeMockBench(t);
  await createPod(config(), options);
  const cmd = { args: ["true"] };
  await assert.rejects(enterContainer("pod", "a", cmd, options), { code: "ERR_STATE_INVALID" });
  await startPod("pod", options);
  const { process } = await enterContainer("pod", "a", cmd, { ...options, attach: true });
  assert.deepEqual(await process.io.wait(), { exitCode: 0 });
  await assert.rejects(enterContainer("pod", "x", cmd, options), { code: "ERR_CONTAINER_NOT_FOUND" });
  await assert.rejects(enterContainer("pod", "a", { args: [] }, options), { code: "ERR_CONFIG_INVALID" });
  await assert.rejects(enterContainer("pod", "a", { ...cmd, detach: true }, { ...options, attach: true }), {
    code: "ERR_CONFIG_INVALID",
  });
  await stopContainer("pod", "a", options);
  await assert.rejects(enterContainer("pod", "a", cmd, options), { code: "ERR_STATE_INVALID" });
});

test("the processes of a container that runs are listed", async (t) => {
  const { config, options } = makeMockBench(t);
  await createPod(config(), options);
  await assert.rejects(processListContainer("pod", "a", { format: "json" }, options), {
    code: "ERR_STATE_INVALID",
  });
  await startPod("pod", options);
  const listed = await processListContainer("pod", "a", { format: "json" }, options);
  assert.equal(Buffer.from(listed).toString(), "[]");
  const table = await processListContainer("pod", "a", { format: "table", args: ["-ef"] }, options);
  assert.match(Buffer.from(table).toString(), /^UID +PID.*\n$/);
  await assert.rejects(processListContainer("pod", "x", { format: "json" }, options), {
    code: "ERR_CONTAINER_NOT_FOUND",
  });
  const wrong = [{ format: "xml" }, {}, { format: "json", arguments: [] }, { format: "json", args: "-ef" }];
  for (const list of wrong as { format: "json" }[]) {
    await assert.rejects(processListContainer("pod", "a", list, options), { code: /^ERR_CONFIG_/ });
  }
  await stopContainer("pod", "a", options);
  await assert.rejects(processListContainer("pod", "a", { format: "json" }, options), {
    code: "ERR_STATE_INVALID",
    containerId: "a",
  });
});

test("signals are checked before anything is sent", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(), options);
  await killContainer("pod", "a", 0, false, options);
  assert.equal((await statusContainer("pod", "a", options)).state, "running");
  for (const signal of [-1, 65, 1.5, "SIGNONE" as NodeJS.Signals]) {
    await assert.rejects(killContainer("pod", "a", signal, false, options), { code: "ERR_CONFIG_INVALID" });
  }
  await assert.rejects(killContainer("pod", "x", "SIGTERM", false, options), {
    code: "ERR_CONTAINER_NOT_FOUND",
  });
});

test("a container that is ready is stopped by what would end it", async (t) => {
  const { config, options } = makeMockBench(t);
  await createPod(config(), options);
  await killContainer("pod", "a", 0, false, options);
  await assert.rejects(killContainer("pod", "a", "SIGHUP", false, options), { code: "ERR_STATE_INVALID" });
  assert.equal((await statusContainer("pod", "a", options)).state, "ready");
  await killContainer("pod", "a", "SIGTERM", false, options);
  const { state, exitCode } = await statusContainer("pod", "a", options);
  assert.deepEqual([state, exitCode], ["stopped", 143]);
  await assert.rejects(killContainer("pod", "a", "SIGTERM", false, options), { code: "ERR_STATE_INVALID" });
});

test("attaching comes before the start", async (t) => {
  const { config, options } = makeMockBench(t);
  const pod = await createPod(config(), options);
  const [container] = pod.getAllContainers();
  assert.equal(container?.attach(), container?.attach());
  const started = await startPod("pod", options);
  assert.throws(() => started.getContainer("a")?.attach(), { code: "ERR_STATE_INVALID" });
});
