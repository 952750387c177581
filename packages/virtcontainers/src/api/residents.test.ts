import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import {
  createPod,
  deleteContainer,
  deletePod,
  enterContainer,
  killContainer,
  runPod,
  signalProcess,
  startContainer,
  startPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
  waitContainer,
} from "../index.ts";
import { waitForHolders } from "../store/flock.ts";
import { killProcess, type ProcessIdentity } from "../store/process-identity.ts";
import { failAt, fails, whatIsLeft } from "../testing/failing-calls.ts";
import { makeResidentBench, type ResidentBench } from "../testing/resident-pod.ts";

function filesOf({ root }: ResidentBench): string[] {
  return readdirSync(join(root, "pods", "pod")).sort();
}

/** Kills the only process that holds a lock of the pod's, and waits for its end. */
async function kill({ root }: ResidentBench, process: ProcessIdentity, lock: string): Promise<void> {
  killProcess(process);
  await waitForHolders(join(root, "pods", "pod", lock), { timeoutMs: 30_000, what: `${lock} to be free` });
}

test("a pod with a proxy and shims has them as long as it needs them", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await createPod(bench.pod(["sleep"]), options);
  const { proxyPid, containersStatus } = await statusPod("pod", options);
  assert.deepEqual(
    bench.residents().map(({ pid }) => pid),
    [proxyPid],
  );
  assert.equal(containersStatus[0]?.pid, -1);
  await startPod("pod", options);
  const { pid, logPath } = await statusContainer("pod", "a", options);
  assert.deepEqual(new Set(bench.residents().map((one) => one.pid)), new Set([proxyPid, pid]));
  assert.equal(logPath, undefined);
  await stopPod("pod", options);
  assert.deepEqual(bench.residents(), []);
  const status = await statusContainer("pod", "a", options);
  assert.deepEqual([status.state, status.pid], ["stopped", -1]);
  assert.ok(!filesOf(bench).some((name) => name.endsWith(".sock") || name === "proxy.json"));
  await startPod("pod", options);
  assert.equal(bench.residents().length, 2);
  await deletePod("pod", options);
  assert.deepEqual([...bench.residents(), ...whatIsLeft(bench)], []);
});

test("the end of a detached container is told by its shim", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await runPod(bench.pod(["say", "hello", "3"]), options);
  assert.deepEqual(await waitContainer("pod", "a", options), { exitCode: 3 });
  const { state, exitCode, logPath } = await statusContainer("pod", "a", options);
  assert.deepEqual([state, exitCode], ["stopped", 3]);
  assert.equal(readFileSync(logPath ?? "", "utf8"), '{"log":"hello\\n"}\n');
  // Its log is of the last run.
  await startContainer("pod", "a", options);
  await waitContainer("pod", "a", options);
  assert.equal(readFileSync(logPath ?? "", "utf8"), '{"log":"hello\\n"}\n');
});

test("a process may be as OCI has it, outlive its caller, and is signalled by its token", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await runPod(bench.pod(["sleep"]), options);
  const ociProcess = { args: ["rest"], cwd: "/", user: { uid: 1, gid: 2 } };
  const start = { ...options, ownSession: true, ociProcess };
  const { process } = await enterContainer("pod", "a", { args: ["rest"] }, start);
  await signalProcess("pod", "a", process.token, "SIGKILL", options);
  assert.deepEqual(await process.io.wait(), { exitCode: 137 });
  await signalProcess("pod", "a", process.token, 9, options);
  const wrong = [
    enterContainer("pod", "a", { args: ["x"], interactive: true }, start),
    signalProcess("pod", "a", process.token, 65, options),
  ];
  for (const call of wrong) await assert.rejects(call, { code: "ERR_CONFIG_INVALID" });
});

test("what is attached to has the shim's pipes", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await runPod(bench.pod(["sleep"]), options);
  const { process } = await enterContainer("pod", "a", { args: ["cat"] }, { ...options, attach: true });
  assert.ok(process.pid > 0);
  process.io.stdin.end("to and fro");
  assert.equal(await text(process.io.stdout), "to and fro");
  assert.deepEqual(await process.io.wait(), { exitCode: 0 });
  const said = await enterContainer("pod", "a", { args: ["say", "x", "7"] }, { ...options, attach: true });
  assert.equal(await text(said.process.io.stdout), "x\n");
  assert.deepEqual(await said.process.io.wait(), { exitCode: 7 });
  assert.ok(!filesOf(bench).some((name) => /^io-.*\.new$/.test(name)));
});

test("a shim with a log that was killed is started again, and goes on for the same process", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  const pod = await runPod(bench.pod(["sleep"]), options);
  const before = pod.getContainer("a");
  const shim = bench.residents().find(({ pid }) => pid === before?.getPid());
  assert.ok(shim);
  await kill(bench, shim, "shim.lock");
  const after = await statusContainer("pod", "a", options);
  assert.equal(after.state, "running");
  assert.notEqual(after.pid, shim.pid);
  await killContainer("pod", "a", "SIGTERM", false, options);
  assert.deepEqual(await waitContainer("pod", "a", options), { exitCode: 143 });
});

test("a container that is deleted leaves nothing of its shim", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await runPod(bench.pod(["sleep"]), options);
  assert.ok(filesOf(bench).some((name) => /^[a-z]+-[0-9a-f]+\.sock$/.test(name)));
  await stopContainer("pod", "a", options);
  await deleteContainer("pod", "a", options);
  assert.ok(!filesOf(bench).some((name) => /^[a-z]+-[0-9a-f]+\.sock$/.test(name)));
  assert.deepEqual(readdirSync(join(bench.root, "pods", "pod", "containers")), []);
  assert.equal(bench.residents().length, 1);
});

test("a shim with somebody's pipes that was killed takes its process with it", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  const container = { ...bench.container("a"), cmd: { args: ["sleep"] } };
  const pod = await createPod(bench.pod([], { containers: [container] }), options);
  const io = pod.getContainer("a")?.attach();
  await startPod("pod", options);
  const { pid } = await statusContainer("pod", "a", options);
  const shim = bench.residents().find((one) => one.pid === pid);
  assert.ok(shim && io);
  killProcess(shim);
  assert.deepEqual(await io.wait(), { exitCode: 137 });
  const { state, exitCode } = await statusContainer("pod", "a", options);
  assert.deepEqual([state, exitCode], ["stopped", 137]);
});

test("a proxy that was killed is brought back by the next call that needs it", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  await createPod(bench.pod(["sleep"]), options);
  const { proxyPid } = await statusPod("pod", options);
  const proxy = bench.residents().find(({ pid }) => pid === proxyPid);
  assert.ok(proxy);
  await kill(bench, proxy, "proxy.lock");
  await startPod("pod", options);
  const now = await statusPod("pod", options);
  assert.ok(now.proxyPid && now.proxyPid !== proxyPid);
  await stopContainer("pod", "a", options);
});

test("programs that cannot be started, or do not stay, leave nothing", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  const noProgram = bench.script("no-program", "#!/nowhere\n");
  const dies = bench.script("dies", "#!/bin/sh\necho no way >&2\nexit 1\n");
  const attempts = [
    { changes: { proxyConfig: { path: noProgram } }, code: "ERR_PROXY_START" },
    { changes: { proxyConfig: { path: dies } }, code: "ERR_PROXY_START" },
    { changes: { proxyConfig: { path: join(bench.base, "nowhere") } }, code: "ERR_ASSET_MISSING" },
    { changes: { shimConfig: { path: dies } }, code: "ERR_SHIM_START" },
    { changes: { shimConfig: { path: "/dev/null" } }, code: "ERR_ASSET_MISSING" },
  ];
  for (const { changes, code } of attempts) {
    await assert.rejects(runPod(bench.pod(["sleep"], changes), options), { code }, JSON.stringify(changes));
    assert.deepEqual([...bench.residents(), ...whatIsLeft(bench)], []);
  }
});

test("runPod with proxy and shims: whichever step fails, nothing is left", async (t) => {
  const bench = makeResidentBench(t);
  const { options } = bench;
  let step = 0;
  for (; await fails(runPod(bench.pod(["sleep"]), { ...options, ...failAt(step) })); step++)
    assert.deepEqual([...bench.residents(), ...whatIsLeft(bench)], [], `step ${step}`);
  assert.ok(step > 8, String(step));
  await deletePod("pod", options);
  assert.deepEqual([...bench.residents(), ...whatIsLeft(bench)], []);
  assert.ok(!existsSync(join(bench.root, "pods", "pod")));
});
