import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  createContainer,
  createPod,
  deleteContainer,
  deletePod,
  enterContainer,
  killContainer,
  listPod,
  type PodStatus,
  pausePod,
  resumePod,
  runPod,
  startContainer,
  startPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
} from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";

const states = (status: PodStatus) => [status.state, ...status.containersStatus.map(({ state }) => state)];

test("a pod's life", async (t) => {
  const { config, options, root } = makeMockBench(t);
  const pod = await createPod(config({ annotations: { "org.example.a": "1" } }), options);
  assert.equal(pod.id(), "pod");
  assert.deepEqual(
    pod.getAllContainers().map((container) => container.id()),
    ["a", "b"],
  );
  assert.equal(pod.getContainer("c"), undefined);
  const created = await statusPod("pod", options);
  assert.deepEqual(states(created), ["ready", "ready", "ready"]);
  assert.deepEqual([created.hypervisor, created.hypervisorConfig, created.agent], ["mock", {}, "noop"]);
  const attached = pod.getContainer("a")?.attach();
  await startPod("pod", options);
  assert.deepEqual(states(await statusPod("pod", options)), ["running", "running", "running"]);
  await assert.rejects(startPod("pod", options), { code: "ERR_STATE_INVALID" });
  await stopPod("pod", options);
  assert.deepEqual(await attached?.wait(), { exitCode: 143 });
  const stopped = await statusPod("pod", options);
  assert.deepEqual(states(stopped), ["stopped", "stopped", "stopped"]);
  assert.deepEqual(
    stopped.containersStatus.map(({ exitCode }) => exitCode),
    [143, 143],
  );
  await stopPod("pod", options);
  await startPod("pod", options);
  assert.deepEqual(states(await statusPod("pod", options)), ["running", "running", "running"]);
  await deletePod("pod", options);
  assert.deepEqual(readdirSync(join(root, "pods")), []);
  await assert.rejects(statusPod("pod", options), { code: "ERR_POD_NOT_FOUND", podId: "pod" });
});

test("every call on a pod that is not there says so, and makes nothing", async (t) => {
  const { options, root } = makeMockBench(t);
  for (const call of [startPod, stopPod, deletePod, statusPod]) {
    await assert.rejects(call("none", options), { code: "ERR_POD_NOT_FOUND" }, call.name);
    await assert.rejects(call("../none", options), { code: "ERR_ID_INVALID" }, call.name);
  }
  assert.deepEqual(await listPod(options), []);
  assert.ok(!existsSync(root));
});

test("each step of a creation that fails leaves nothing behind", async (t) => {
  const { config, options, root } = makeMockBench(t);
  for (const step of ["createPod", "startPod", "waitPod"]) {
    for (const call of [createPod, runPod]) {
      await assert.rejects(call(config({}, step), options), { code: "ERR_QMP", message: new RegExp(step) });
      assert.deepEqual(existsSync(join(root, "pods")) ? readdirSync(join(root, "pods")) : [], [], step);
    }
  }
  await createPod(config(), options);
  assert.deepEqual(readdirSync(join(root, "pods")), ["pod"]);
});

test("a creation aborted at any phase leaves nothing behind", async (t) => {
  const { config, options, root } = makeMockBench(t);
  const phases: string[] = [];
  await runPod(config(), { ...options, onPhase: ({ name }) => phases.push(name) });
  await deletePod("pod", options);
  assert.ok(phases.length > 4);
  for (const phase of phases) {
    const controller = new AbortController();
    const onPhase = ({ name }: { name: string }) => name === phase && controller.abort();
    const call = runPod(config(), {
      ...options,
      signal: controller.signal,
      onPhase: (event) => void onPhase(event),
    });
    const outcome = await call.then(
      () => "done",
      (error) => error.code,
    );
    if (outcome === "done") await deletePod("pod", options);
    else assert.equal(outcome, "ERR_ABORTED", phase);
    assert.deepEqual(readdirSync(join(root, "pods")), [], phase);
  }
});

test("of several creations of one name only one succeeds", async (t) => {
  const { config, options, root } = makeMockBench(t);
  const calls = await Promise.allSettled(Array.from({ length: 5 }, () => createPod(config(), options)));
  const refused = calls.flatMap((call) => (call.status === "rejected" ? [call.reason.code] : []));
  assert.deepEqual(refused, Array(4).fill("ERR_POD_EXISTS"));
  assert.deepEqual(readdirSync(join(root, "pods")), ["pod"]);
});

test("a failing restart leaves a stopped pod", async (t) => {
  const { config, options, rootFs } = makeMockBench(t);
  await runPod(config(), options);
  await stopPod("pod", options);
  const aborted = AbortSignal.abort();
  await assert.rejects(startPod("pod", { ...options, signal: aborted }), { code: "ERR_ABORTED" });
  const controller = new AbortController();
  const onPhase = ({ name }: { name: string }) => {
    if (name === "pod-started") controller.abort();
  };
  writeFileSync(join(rootFs, "more"), "");
  await startPod("pod", { ...options, signal: controller.signal, onPhase }).catch(() => {});
  assert.match((await statusPod("pod", options)).state, /^(stopped|running)$/);
  await deletePod("pod", options);
});

test("pods are listed by their ids; what is no pod is not", async (t) => {
  const { config, options, root } = makeMockBench(t);
  for (const id of ["zebra", "ant"]) await createPod(config({ id }), options);
  writeFileSync(join(root, "pods", ".hidden"), "");
  assert.deepEqual(
    (await listPod(options)).map(({ id }) => id),
    ["ant", "zebra"],
  );
});

test("a state that cannot be read is told by every call, and stays on disk as it is", async (t) => {
  const { config, container, options, root } = makeMockBench(t);
  await runPod(config(), options);
  const path = join(root, "pods", "pod", "pod.json");
  const sound = readFileSync(path, "utf8");
  const calls: Record<string, () => Promise<unknown>> = {
    statusPod: () => statusPod("pod", options),
    listPod: () => listPod(options),
    startPod: () => startPod("pod", options),
    stopPod: () => stopPod("pod", options),
    pausePod: () => pausePod("pod", options),
    resumePod: () => resumePod("pod", options),
    deletePod: () => deletePod("pod", options),
    createContainer: () => createContainer("pod", container("c"), options),
    startContainer: () => startContainer("pod", "a", options),
    stopContainer: () => stopContainer("pod", "a", options),
    deleteContainer: () => deleteContainer("pod", "a", options),
    enterContainer: () => enterContainer("pod", "a", { args: ["true"] }, options),
    killContainer: () => killContainer("pod", "a", 9, false, options),
    statusContainer: () => statusContainer("pod", "a", options),
  };
  const unreadable = {
    torn: [sound.slice(0, -20), "ERR_STATE_CORRUPT"],
    empty: ["", "ERR_STATE_CORRUPT"],
    foreign: [sound.replace('"id": "pod"', '"id": "other"'), "ERR_STATE_CORRUPT"],
    newer: [sound.replace(/"version": \d+/, '"version": 99'), "ERR_STATE_VERSION"],
  } as const;
  for (const [kind, [text, code]] of Object.entries(unreadable)) {
    writeFileSync(path, text);
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(), { code, podId: "pod" }, `${name} of a ${kind} state`);
    }
    await assert.rejects(createPod(config(), options), { code: "ERR_POD_EXISTS" });
    await createPod(config({ id: "sound" }), options);
    const broken: unknown[] = [];
    const listed = await listPod({ ...options, onBroken: (error) => broken.push(error) });
    assert.deepEqual([listed.map(({ id }) => id), broken.length], [["sound"], 1]);
    await deletePod("sound", options);
    assert.equal(readFileSync(path, "utf8"), text);
  }
  writeFileSync(path, sound);
});

test("annotations are read, merged and stored", async (t) => {
  const { config, options } = makeMockBench(t);
  const pod = await createPod(config({ annotations: { a: "1" } }), options);
  await pod.setAnnotations({ b: "2" });
  assert.equal(pod.annotations("b"), "2");
  assert.deepEqual((await statusPod("pod", options)).annotations, { a: "1", b: "2" });
  assert.throws(() => pod.annotations("c"), { code: "ERR_ANNOTATION_NOT_FOUND" });
  const plain = await createPod(config({ id: "plain" }), options);
  await plain.setAnnotations({ x: "y" });
  assert.deepEqual(plain.getAnnotations(), { x: "y" });
});

test("the phases of a call are told and kept", async (t) => {
  const { config, options } = makeMockBench(t);
  const told: string[] = [];
  const pod = await runPod(config(), { ...options, onPhase: ({ name }) => told.push(name) });
  assert.deepEqual(
    pod.timings().map(({ name }) => name),
    told,
  );
  assert.ok(pod.timings().every(({ at, took }) => at >= took && took >= 0));
});

test("a path too long for sockets does not keep a pod from living", async (t) => {
  const { config, base, cache } = makeMockBench(t);
  const options = { root: join(base, "d".repeat(100)), cache };
  await runPod(config(), options);
  assert.equal((await statusPod("pod", options)).state, "running");
  await deletePod("pod", options);
});
