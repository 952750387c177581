import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { needsRoot } from "../../test/support/needs-root.ts";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { ShimClient } from "../../test/support/shim-client.ts";
import { waitUntil } from "../../test/support/wait-until.ts";

const bench = await ShimBench.build();
after(() => bench.remove());

const WAITS = "echo begun; exec sleep 1000";

test("a container is made and started, and its process and state are told", async (t) => {
  const container = await bench.shell(t, WAITS);
  const { process: shim, report } = container.startShim();
  const told = await report;
  const state = await container.readState();
  assert.deepEqual(told, { ok: true, pid: state.pid });
  assert.equal(state.state, "running");
  assert.equal(state.shimPid, shim.pid);
  assert.equal(state.bootId, (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim());
  assert.equal((await stat(container.plan.socket)).mode & 0o777, 0o600);
  assert.equal((await stat(container.plan.state)).mode & 0o777, 0o600);
  const line = (await readFile(`/proc/${state.pid}/stat`, "utf8")).split(" ");
  assert.deepEqual([Number(line[3]), Number(line[21])], [shim.pid, state.pidStartTime]);
});

test("its end is seen with its code, and it is removed", async (t) => {
  const container = await bench.shell(t, "echo out; echo err >&2; exit 3");
  await container.run();
  const state = await container.whenState("stopped");
  assert.equal(state.exitCode, 3);
  assert.equal(state.pid, undefined);
  assert.ok(
    state.startedAt !== undefined && state.exitedAt !== undefined && state.startedAt <= state.exitedAt,
  );
  assert.equal(await container.readLog(), "out\nerr\n");
  const answer = await ShimClient.call(container.plan.socket, { method: "quit" });
  assert.ok(answer.last.kind === "state" && answer.last.state.exitCode === 3);
  const calls = await readFile(join(container.folder, "calls"), "utf8");
  assert.deepEqual(
    calls
      .trim()
      .split("\n")
      .map((call) => call.split(" ")[1]),
    ["create", "start", "delete"],
  );
});

test("the signal that ended it is told as one", async (t) => {
  const container = await bench.shell(t, "kill -9 $$");
  await container.run();
  const { exitSignal, exitCode } = await container.whenState("stopped");
  assert.deepEqual([exitSignal, exitCode], [9, undefined]);
});

for (const step of ["create", "start"]) {
  test(`a ${step} that fails is told with the runtime's words, and nothing is left`, async (t) => {
    const container = await bench.shell(t, WAITS);
    await writeFile(join(container.folder, `fail-${step}`), "");
    const { process: shim, report } = container.startShim();
    const [told, [code]] = await Promise.all([report, once(shim, "exit")]);
    const runtimeLog = `${step} cannot be done`;
    const message = `${container.folder}/runtime ended with 1: ${runtimeLog}`;
    assert.deepEqual(told, { error: { step, message, runtimeLog } });
    assert.equal(code, 1);
    const state = await container.readState();
    assert.deepEqual([state.state, state.reason, state.pid], ["failed", message, undefined]);
    assert.ok(!existsSync(container.plan.socket));
    assert.ok(!existsSync(container.plan.pidFile));
  });
}

test("a command that takes too long is killed, and that is told", async (t) => {
  const container = await bench.shell(t, WAITS, { commandTimeoutMs: 300 });
  await writeFile(join(container.folder, "hang-create"), "");
  const { report } = container.startShim();
  const message = `${container.folder}/runtime took more than 300 ms`;
  assert.deepEqual(await report, { error: { step: "create", message } });
});

test("a program that is not there is told as such", async (t) => {
  const container = await bench.container(t, bench.nextFolder(), {
    ...Object.fromEntries(["create", "start", "kill", "delete"].map((name) => [name, ["/no/such/runtime"]])),
    exec: ["/no/such/runtime", "{process}", "{pidFile}"],
  } as never);
  container.plan.delete = ["/bin/true"];
  const message = "execve /no/such/runtime: No such file or directory";
  assert.deepEqual(await container.startShim().report, { error: { step: "create", message } });
});

test("a plan that is none, or has a fault, is told", async (t) => {
  const container = await bench.shell(t, WAITS);
  const path = join(container.folder, "plan.json");
  const faults = [
    ["{", "the payload is not JSON in UTF-8"],
    [JSON.stringify({ ...container.plan, version: 2 }), "version: must be 1"],
    [JSON.stringify({ ...container.plan, create: ["runc"] }), "create[0]: must be an absolute path"],
  ];
  for (const [plan = "", message] of faults) {
    await writeFile(path, plan);
    const report = await container.startShim().report;
    assert.deepEqual(report, { error: { step: "plan", message } });
  }
  await writeFile(path, JSON.stringify(container.plan));
});

test("there is one shim for a container: a second one says so and ends", async (t) => {
  const container = await bench.shell(t, WAITS);
  await container.run();
  const { process: second, report } = container.startShim();
  const [told, [code]] = await Promise.all([report, once(second, "exit")]);
  const message = `${container.plan.lock} is locked: another shim is there for this container`;
  assert.deepEqual([told, code], [{ error: { step: "lock", message } }, 1]);
  const { last } = await ShimClient.call(container.plan.socket, { method: "state" });
  assert.ok(last.kind === "state" && last.state.state === "running");
});

test("signals for the whole group do not end a shim or its container", async (t) => {
  const container = await bench.shell(t, WAITS);
  const shim = await container.run();
  const { pid } = await container.readState();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const)
    process.kill(-(shim.pid ?? 0), signal);
  const { last } = await ShimClient.call(container.plan.socket, { method: "state" });
  assert.ok(last.kind === "state" && last.state.state === "running" && last.state.pid === pid);
});

test("a state that a full disk does not take is written when it does", needsRoot, async (t) => {
  const disk = join(bench.folder, "disk");
  await mkdir(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", disk]);
  t.after(() => execFileSync("umount", ["-l", disk]));
  const container = await bench.shell(t, "trap 'exit 3' TERM; echo begun; read go <next; exit 3", {
    state: join(disk, "state.json"),
  });
  execFileSync("mkfifo", [join(container.folder, "next")]);
  await container.run();
  execFileSync("sh", ["-c", `cat /dev/zero >${disk}/filler 2>/dev/null || true`]);
  await writeFile(join(container.folder, "next"), "\n");
  const { socket } = container.plan;
  const { last } = await ShimClient.call(socket, { method: "stop" });
  assert.ok(last.kind === "state" && last.state.exitCode === 3, JSON.stringify(last));
  assert.match(last.state.warning ?? "", /state\.json: .*No space left on device$/);
  assert.equal((await container.readState()).state, "running");
  await rm(join(disk, "filler"));
  const state = await waitUntil(
    disk,
    async () => container.readState().then((found) => (found.state === "stopped" ? found : undefined)),
    () => "the state was not written",
    30_000,
  );
  assert.equal(state.exitCode, 3);
});
