import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { ShimClient } from "../../test/support/shim-client.ts";

const bench = await ShimBench.build();
after(() => bench.remove());

const WAITS = "echo begun; exec sleep 1000";
const ENDS = "echo begun; exit 4";
const restart = { limit: 3, delayMs: 20, windowMs: 60_000 };

const stop = (path: string, graceMs = 3000) => ShimClient.call(path, { method: "stop", graceMs });

/** What the runtime was asked to do, a word for each. */
async function callsOf(folder: string): Promise<string> {
  const text = await readFile(join(folder, "calls"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[1])
    .join(" ");
}

test("three restarts, then it has failed, for a reason that stays", async (t) => {
  const container = await bench.shell(t, ENDS, { restart });
  await container.run();
  const state = await container.whenState("failed");
  assert.equal(state.reason, "it has ended 4 times in a row, at last with exit code 4");
  assert.deepEqual([state.restarts, state.exitCode], [3, 4]);
  assert.equal(await container.readLog(), "begun\n".repeat(4));
  const { last } = await ShimClient.call(container.plan.socket, { method: "quit" });
  assert.ok(last.kind === "state" && last.state.reason === state.reason);
  // The delete before a start is for what a shim that died may have left.
  assert.match(
    await callsOf(container.folder),
    /^create start delete (delete create start delete ){2}delete create start delete$/,
  );
});

test("a start again that fails is the end of it", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  await container.run();
  await writeFile(join(container.folder, "fail-create"), "");
  const { pid = 0 } = await container.readState();
  process.kill(pid, "SIGKILL");
  const state = await container.whenState("failed");
  assert.match(state.reason ?? "", /^it could not be started again: .*create cannot be done$/);
  assert.equal(state.exitSignal, 9);
});

test("so is a start again for which the container's streams are not there", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  await container.run();
  await rm(container.plan.stdout);
  await mkdir(container.plan.stdout);
  process.kill((await container.readState()).pid ?? 0, "SIGKILL");
  const state = await container.whenState("failed");
  assert.match(state.reason ?? "", /^it could not be started again: open .*output: Is a directory$/);
});

test("what a shim was killed before it had removed, the next one removes", async (t) => {
  const container = await bench.shell(t, ENDS);
  const hangs = join(container.folder, "hang-delete");
  await writeFile(hangs, "");
  const shim = await container.run();
  const { unremoved } = await container.whenState("stopped");
  assert.equal(unremoved, true);
  shim.kill("SIGKILL");
  await once(shim, "exit");
  for (const file of [hangs, join(container.folder, "calls")]) await rm(file);
  await container.run();
  const state = await container.readState();
  assert.deepEqual([state.state, state.exitCode, state.unremoved], ["stopped", 4, undefined]);
  assert.equal(await callsOf(container.folder), "delete");
});

test("a container that is stopped is not started again", async (t) => {
  const container = await bench.shell(t, "trap 'exit 5' TERM; echo begun; while :; do sleep 0.01; done", {
    restart,
  });
  await container.run();
  await container.whenLogged("begun\n");
  const { last } = await stop(container.plan.socket, 60_000);
  assert.ok(last.kind === "state");
  assert.deepEqual([last.state.state, last.state.exitCode, last.state.stopRequested], ["stopped", 5, true]);
  assert.deepEqual(await container.readState(), last.state);
  // Again: it is what it is.
  const again = await stop(container.plan.socket);
  assert.deepEqual(again.last, last);
});

test("one that does not mind the signal is killed after the grace", async (t) => {
  const container = await bench.shell(t, "trap '' TERM; echo begun; while :; do sleep 0.01; done", {
    restart,
  });
  await container.run();
  await container.whenLogged("begun\n");
  const [one, other] = await Promise.all([
    stop(container.plan.socket, 200),
    stop(container.plan.socket, 200),
  ]);
  assert.ok(one.last.kind === "state" && one.last.state.exitSignal === 9);
  assert.deepEqual(other.last, one.last);
});

test("one whose runtime cannot kill any more is killed all the same", async (t) => {
  const container = await bench.shell(t, WAITS);
  await container.run();
  await writeFile(join(container.folder, "fail-kill"), "");
  const { last } = await stop(container.plan.socket);
  assert.ok(last.kind === "state" && last.state.exitSignal === 15);
});

test("one that waits to be started again is stopped at once", async (t) => {
  const container = await bench.shell(t, ENDS, { restart: { ...restart, delayMs: 600_000 } });
  await container.run();
  await container.whenState("restarting");
  const { last } = await stop(container.plan.socket);
  assert.ok(last.kind === "state" && last.state.state === "stopped" && last.state.exitCode === 4);
  assert.equal(await callsOf(container.folder), "create start delete");
});

test("the mark of a container that is being deleted forbids restarts", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  await container.run();
  await writeFile(container.plan.deleting ?? "", "");
  process.kill((await container.readState()).pid ?? 0, "SIGKILL");
  const state = await container.whenState("stopped");
  assert.deepEqual([state.exitSignal, state.restarts], [9, 0]);
});

test("a shim that takes over counts on", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  let shim = await container.run();
  for (let restarts = 1; restarts <= 3; restarts++) {
    process.kill((await container.readState()).pid ?? 0, "SIGKILL");
    await container.whenState("running", (state) => state.restarts === restarts);
    shim.kill("SIGKILL");
    await once(shim, "exit");
    shim = await container.run();
  }
  process.kill((await container.readState()).pid ?? 0, "SIGKILL");
  const state = await container.whenState("failed");
  // This shim was not the parent of the last process.
  assert.equal(state.reason, "it has ended 4 times in a row, at last with an exit code that nobody saw");
});

test("restarts are forgotten when it has run for a while, also by a shim that took over", async (t) => {
  const container = await bench.shell(t, WAITS, { restart: { limit: 1, delayMs: 20, windowMs: 2_000 } });
  const shim = await container.run();
  for (let round = 0; round < 2; round++) {
    process.kill((await container.readState()).pid ?? 0, "SIGKILL");
    await container.whenState("running", ({ restarts }) => restarts === 1);
    if (round === 1) {
      shim.kill("SIGKILL");
      await once(shim, "exit");
      await container.run();
    }
    await container.whenState("running", ({ restarts }) => restarts === 0);
  }
});

test("a shim that takes over in the time before a start goes on with it", async (t) => {
  const container = await bench.shell(t, WAITS, { restart: { ...restart, delayMs: 2000 } });
  const shim = await container.run();
  const { pid } = await container.readState();
  process.kill(pid ?? 0, "SIGKILL");
  await container.whenState("restarting");
  shim.kill("SIGKILL");
  await once(shim, "exit");
  const { report } = container.startShim();
  assert.deepEqual(await report, { ok: true });
  const state = await container.whenState("running");
  assert.notEqual(state.pid, pid);
  assert.equal(state.restarts, 1);
});

test("a container that ended while no shim was there is started again, and counted", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  const shim = await container.run();
  shim.kill("SIGKILL");
  await once(shim, "exit");
  const { pid = 0 } = await container.readState();
  process.kill(pid, "SIGKILL");
  await container.startShim().report;
  const state = await container.whenState("running", (found) => found.pid !== pid);
  assert.deepEqual([state.restarts, state.exitUnknown, state.exitedAt], [1, true, undefined]);
});

test("how it ended while no shim was there is known by its file", async (t) => {
  const exitFile = join(bench.folder, "exit.json");
  const container = await bench.shell(t, WAITS, { exitFile });
  const shim = await container.run();
  shim.kill("SIGKILL");
  await once(shim, "exit");
  process.kill((await container.readState()).pid ?? 0, "SIGKILL");
  await writeFile(exitFile, JSON.stringify({ exitCode: 9, time: "2026-11-23T01:02:03.456Z" }));
  await container.startShim().report;
  const state = await container.whenState("stopped");
  assert.deepEqual([state.exitCode, state.exitUnknown], [9, undefined]);
});

test("why nobody knows how it ended is told, if something stands for it that knows", async (t) => {
  const exitFile = join(bench.folder, "lost.json");
  const lost = { lost: "the VM has gone", time: "2026-11-23T01:02:03.456Z" };
  const script = `echo '${JSON.stringify(lost)}' >${exitFile}; exit 255`;
  const container = await bench.shell(t, script, { exitFile, restart: { ...restart, limit: 1 } });
  await container.run();
  const state = await container.whenState("failed");
  assert.deepEqual([state.exitCode, state.exitUnknown], [undefined, true]);
  assert.match(
    state.reason ?? "",
    /2 times in a row, at last with an exit code that nobody saw: the VM has gone$/,
  );
});

test("a process that has the pid of the container's is not taken for it", async (t) => {
  const container = await bench.shell(t, WAITS);
  const shim = await container.run();
  shim.kill("SIGKILL");
  await once(shim, "exit");
  const state = await container.readState();
  process.kill(state.pid ?? 0, "SIGKILL");
  await writeFile(container.plan.state, JSON.stringify({ ...state, pid: process.pid }));
  assert.deepEqual(await container.startShim().report, { ok: true });
  assert.equal((await container.whenState("stopped")).exitUnknown, true);
});

test("after the machine was booted it is started anew, and that is not counted", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  const shim = await container.run();
  shim.kill("SIGKILL");
  await once(shim, "exit");
  const state = await container.readState();
  await writeFile(container.plan.state, JSON.stringify({ ...state, restarts: 2, bootId: "another" }));
  await rm(container.plan.stdout);
  await container.run();
  const found = await container.readState();
  assert.deepEqual([found.state, found.restarts], ["running", 2]);
  assert.notEqual(found.pid, state.pid);
  assert.equal(await callsOf(container.folder), "create start delete create start");
});

test("after the machine was booted, one that was to be stopped is", async (t) => {
  const container = await bench.shell(t, WAITS, { restart });
  const shim = await container.run();
  shim.kill("SIGKILL");
  await once(shim, "exit");
  const state = await container.readState();
  await writeFile(container.plan.state, JSON.stringify({ ...state, bootId: "another", stopRequested: true }));
  assert.deepEqual(await container.startShim().report, { ok: true });
  assert.equal((await container.readState()).state, "stopped");
});

test("a shim that died in the middle of the first start leaves nothing to the next", async (t) => {
  const container = await bench.shell(t, WAITS);
  await writeFile(join(container.folder, "hang-start"), "");
  const { process: shim, report } = container.startShim();
  const { pid } = await container.whenState("creating", (state) => state.pid !== undefined);
  shim.kill("SIGKILL");
  assert.equal(await report, undefined);
  await rm(join(container.folder, "hang-start"));
  await container.run();
  const state = await container.readState();
  assert.equal(state.state, "running");
  assert.notEqual(state.pid, pid);
  // The first start may have been killed before it could say a word.
  assert.match(await callsOf(container.folder), /^create (start )?delete create start$/);
});

test("a state.json that cannot be read is told, and left as it is", async (t) => {
  const container = await bench.shell(t, WAITS);
  await writeFile(container.plan.state, '{"version":7}');
  const message = `${container.plan.state}: version: must be 1`;
  assert.deepEqual(await container.startShim().report, { error: { step: "prepare", message } });
  assert.equal(await readFile(container.plan.state, "utf8"), '{"version":7}');
});
