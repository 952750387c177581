import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  createPod,
  deleteContainer,
  deletePod,
  killContainer,
  prepareContainer,
  startContainer,
  startPod,
  statusContainer,
  statusPod,
  stopContainer,
} from "../index.ts";
import { parseStat } from "../store/process-identity.ts";
import { failAt, fails, whatIsLeft } from "../testing/failing-calls.ts";
import { makeResidentBench, type ResidentBench } from "../testing/resident-pod.ts";

/** A pod whose container is prepared: it does nothing until it is told to end. */
async function makePrepared(t: TestContext): Promise<ResidentBench & { pid: number }> {
  const bench = makeResidentBench(t);
  await createPod(bench.pod([], { containers: [quiet(bench)] }), bench.options);
  const container = await prepareContainer("pod", "a", bench.options);
  return { ...bench, pid: container.getPid() };
}

/** One whose shim has this process's streams. */
function quiet(bench: ResidentBench) {
  return { ...bench.container("a"), cmd: { args: ["sleep"] } };
}

async function stateOf({ options }: ResidentBench) {
  const [pod, container] = [await statusPod("pod", options), await statusContainer("pod", "a", options)];
  return { pod: pod.state, container: container.state, exitCode: container.exitCode, pid: container.pid };
}

test("a prepared container has its shim in a session of its own, and begins when it is started", async (t) => {
  const bench = await makePrepared(t);
  const { options, pid } = bench;
  assert.deepEqual(await stateOf(bench), { pod: "ready", container: "ready", exitCode: undefined, pid });
  const [, , session] = statOf(pid);
  assert.equal(session, pid);
  await assert.rejects(prepareContainer("pod", "a", options), { code: "ERR_STATE_INVALID" });
  await startContainer("pod", "a", options);
  assert.deepEqual(await stateOf(bench), { pod: "running", container: "running", exitCode: undefined, pid });
  await stopContainer("pod", "a", options);
  const { pod, container, exitCode } = await stateOf(bench);
  assert.deepEqual([pod, container, exitCode], ["running", "stopped", 143]);
  const again = startContainer("pod", "a", { ...options, ifPrepared: true });
  await assert.rejects(again, { code: "ERR_STATE_INVALID", message: /is stopped, and not prepared/ });
  await deletePod("pod", options);
  assert.deepEqual([...bench.residents(), ...whatIsLeft(bench)], []);
});

/** Parent, process group and session of a process. */
function statOf(pid: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  assert.ok(parseStat(stat));
  return stat
    .slice(stat.lastIndexOf(")") + 4)
    .split(" ")
    .slice(0, 3)
    .map(Number);
}

test("the start of a pod lets what is prepared begin", async (t) => {
  const bench = await makePrepared(t);
  await startPod("pod", bench.options);
  const { pid } = bench;
  assert.deepEqual(await stateOf(bench), { pod: "running", container: "running", exitCode: undefined, pid });
});

test("a signal ends one that has not begun, as it ends one that runs", async (t) => {
  const bench = await makePrepared(t);
  const { options } = bench;
  await killContainer("pod", "a", "SIGKILL", false, options);
  await stopContainer("pod", "a", options);
  const { pod, container, exitCode } = await stateOf(bench);
  assert.deepEqual([pod, container, exitCode], ["ready", "stopped", 137]);
  await assert.rejects(startContainer("pod", "a", options), { code: "ERR_STATE_INVALID" });
  await deleteContainer("pod", "a", options);
});

test("one that has not begun ends with its shim", async (t) => {
  const bench = await makePrepared(t);
  process.kill(bench.pid, "SIGKILL");
  await stopContainer("pod", "a", bench.options);
  const { exitCode, ...rest } = await stateOf(bench);
  assert.deepEqual(rest, { pod: "ready", container: "stopped", pid: -1 });
  // Killed for want of its shim, unless the stop came first.
  assert.ok(exitCode === 137 || exitCode === 143, `${exitCode}`);
});

test("one that its caller has left half made is ended by the next call", async (t) => {
  const bench = await makePrepared(t);
  const path = join(bench.root, "pods", "pod", "pod.json");
  const record = JSON.parse(readFileSync(path, "utf8"));
  record.containers.a.prepared = "unsettled";
  record.pending = {};
  writeFileSync(path, JSON.stringify(record));
  await assert.rejects(startContainer("pod", "a", bench.options), { code: "ERR_STATE_INVALID" });
  const { container, exitCode } = await stateOf(bench);
  assert.deepEqual([container, exitCode], ["stopped", 137]);
});

test("only pods with shims that are programs can prepare containers", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  const noShims = { shimType: "noopShim" as const, shimConfig: {} };
  await createPod(bench.pod([], { ...noShims, containers: [quiet(bench)] }), options);
  await assert.rejects(prepareContainer("pod", "a", options), { code: "ERR_NOT_SUPPORTED" });
  await assert.rejects(prepareContainer("pod", "b", options), { code: "ERR_CONTAINER_NOT_FOUND" });
});

test("a preparation that fails at any step leaves the container as it was", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await createPod(bench.pod([], { containers: [quiet(bench)] }), options);
  let step = 0;
  for (; await fails(prepareContainer("pod", "a", { ...options, ...failAt(step) })); step++) {
    const { pod, container, pid } = await stateOf(bench);
    assert.deepEqual([pod, container, pid], ["ready", "ready", -1], `step ${step}`);
  }
  assert.ok(step > 3, `only ${step} steps`);
});
