import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { identifyProcess, isProcessAlive } from "@husk/virtcontainers/internals";
import { endOf, ONCE, untilLogged } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import type { ContainerModule } from "../types.ts";

const needs = needsRuntime(RUNTIMES.runc);
/** Writes numbers, and ends when there is the file /go. */
const COUNTING = `sh -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); usleep 500; done; until [ -e /go ]; do usleep 10000; done'`;

function run(
  module: ContainerModule,
  ns: string,
  name: string,
  command: string,
  options = {},
): Promise<string> {
  return module.run(ns, name, BUSYBOX, [], [], undefined, [], command, options);
}

/** A shim that begins once only. */
function makeMortalShim(bench: ModuleBench): string {
  const { base } = bench;
  const path = `${base}/mortal-shim`;
  const { shim } = bench.options();
  writeFileSync(path, `#!/bin/sh\nmkdir ${base}/begun && exec ${shim} "$@"\n`, { mode: 0o755 });
  return path;
}

/** Open files of this process that are outputs of containers. */
function openOutputs({ base }: ModuleBench): number {
  const files = readdirSync("/proc/self/fd").map((fd) => readLink(`/proc/self/fd/${fd}`));
  return files.filter((path) => /^\/run\/containers\/\w+\/output/.test(path.slice(base.length))).length;
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The directory that was being read.
    return "";
  }
}

function expectedLines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index}\n`).join("");
}

for (const [runtime, program] of Object.entries(RUNTIMES)) {
  test(`${runtime}: a killed shim is replaced, and no line is lost`, needsRuntime(program), async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    await run(module, bench.ns, "a", COUNTING, ONCE);
    const { pid } = (await module.inspect(bench.ns, "a")).ours;
    for (let times = 0; times < 3; times++) {
      const shim = bench.shimPid("a");
      await bench.killShim("a");
      await bench.open();
      assert.notEqual(bench.shimPid("a"), shim);
      assert.equal((await module.inspect(bench.ns, "a")).ours.pid, pid);
    }
    using toucher = await module.exec(bench.ns, "a", ["touch", "/go"]);
    await toucher.wait();
    const { ours } = await endOf(module, bench.ns, "a");
    assert.equal(bench.log("a"), expectedLines(3000));
    assert.deepEqual([ours.state, ours.exitCode], ["stopped", undefined]);
    assert.match(ours.reason ?? "", /nobody knows how it ended/);
  });
}

test(
  "who guards shims replaces a dead one at once, and leaves one alone that dies again",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const guard = new AbortController();
    t.after(() => guard.abort());
    const module = await bench.open({ guard: guard.signal });
    await run(module, bench.ns, "a", "sh -c 'while :; do echo line; usleep 1000; done'");
    // The first has lived for long enough, and the next one has only just begun, however busy the machine is.
    const now = performance.now() + 60_000;
    t.mock.method(performance, "now", () => now);
    const first = bench.shimPid("a");
    await bench.killShim("a");
    while (bench.shimPid("a") === first) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = bench.shimPid("a");
    await bench.killShim("a");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(bench.shimPid("a"), second);
    assert.equal((await module.inspect(bench.ns, "a")).ours.state, "running");
    assert.notEqual(bench.shimPid("a"), second);
  },
);

test("what a container writes last is kept by who guards its shim until another comes", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const guard = new AbortController();
  t.after(() => guard.abort());
  // One that guards shims, and does not come by others.
  const module = await bench.open({ guard: guard.signal, shim: makeMortalShim(bench) });
  const mounts = [{ source: bench.base, target: "/shared" }];
  execFileSync("mkfifo", [`${bench.base}/go`]);
  const command = `sh -c 'read go </shared/go; seq 1 5000'`;
  await module.run(bench.ns, "a", BUSYBOX, [], [], undefined, mounts, command, ONCE);
  const { pid = 0 } = (await module.inspect(bench.ns, "a")).ours;
  assert.equal(openOutputs(bench), 1);
  await bench.killShim("a");
  const identity = identifyProcess(pid);
  await writeFile(`${bench.base}/go`, "\n");
  while (identity && isProcessAlive(identity)) await new Promise((resolve) => setTimeout(resolve, 20));
  const other = await bench.open();
  assert.equal((await endOf(other, bench.ns, "a")).ours.state, "stopped");
  assert.equal(bench.log("a"), Array.from({ length: 5000 }, (_, index) => `${index + 1}\n`).join(""));
  await module.delete(bench.ns, "a");
  assert.equal(openOutputs(bench), 0);
});

test("what a dead process wanted to delete is deleted", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  await run(await bench.open(), bench.ns, "a", "sleep 1000");
  writeFileSync(bench.place("a", "deleting"), "");
  const module = await bench.open();
  assert.deepEqual([await module.list(), bench.leftovers()], [[], []]);
});

test("what nobody could end waits until somebody asks again", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  await run(await bench.open(), bench.ns, "a", "sleep 1000");
  writeFileSync(bench.place("a", "deleting"), "stuck\n");
  const module = await bench.open();
  assert.equal((await module.inspect(bench.ns, "a")).ours.state, "deleting");
  await module.delete(bench.ns, "a", { graceMs: 0 });
  assert.deepEqual(bench.leftovers(), []);
});

test("after a reboot, what ran is started, and what had ended is not", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const before = await bench.open();
  const command = "sh -c 'echo up; cat /kept; echo mine > /kept; echo done; exec sleep 1000'";
  await run(before, bench.ns, "runs", command);
  await run(before, bench.ns, "ended", "true", ONCE);
  await endOf(before, bench.ns, "ended");
  await untilLogged(before, bench.ns, "runs", "done\n");
  const { pid = 0 } = (await before.inspect(bench.ns, "runs")).ours;
  // As a reboot does: nothing runs, nothing is mounted, /run is empty, and the boot has another id.
  for (const name of ["runs", "ended"]) await bench.killShim(name);
  process.kill(pid, "SIGKILL");
  await bench.reboot(["runs", "ended"]);
  const module = await bench.open();
  assert.deepEqual(bench.warnings, []);
  const [ended, runs] = await module.list();
  assert.deepEqual([ended?.ours.state, runs?.ours.state, runs?.ours.restarts], ["stopped", "running", 0]);
  assert.notEqual(runs?.ours.pid, pid);
  await untilLogged(module, bench.ns, "runs", "mine\ndone\n");
  assert.match(bench.log("runs"), /^up\ncat: .*\ndone\nup\nmine\ndone\n$/);
});

test(
  "what the file system refuses for one name is told, and keeps nobody from the others",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    await run(await bench.open(), bench.ns, "a", "sleep 1000");
    const stray = dirname(bench.place("stray", "deleting"));
    writeFileSync(stray, "");
    const module = await bench.open();
    assert.match(bench.warnings.join(), /^ERR_STORE: ENOTDIR: .*stray/);
    assert.deepEqual(
      (await module.list()).map(({ id }) => id),
      ["a"],
    );
    rmSync(stray);
  },
);

test("a torn record is told, and keeps nobody from the others", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  for (const name of ["a", "b"]) await run(module, bench.ns, name, "sleep 1000");
  const path = bench.place("a", "container.json");
  const record = readFileSync(path, "utf8");
  writeFileSync(path, record.slice(0, 50));
  assert.deepEqual(
    (await module.list()).map(({ id }) => id),
    ["b"],
  );
  assert.match(bench.warnings.join(), /^ERR_STATE_CORRUPT: .*container\.json is no JSON/);
  await assert.rejects(module.inspect(bench.ns, "a"), { code: "ERR_STATE_CORRUPT" });
  writeFileSync(path, record.replace('"version": 1', '"version": 99'));
  await assert.rejects(module.inspect(bench.ns, "a"), { code: "ERR_STATE_VERSION" });
  writeFileSync(path, record);
});
