import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { identifyProcess, isProcessAlive, runCommand } from "@husk/virtcontainers/internals";
import { endOf, ONCE, readAll } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import { unmountIn } from "../testing/unmount-in.ts";
import type { ContainerModule, RunOptions } from "../types.ts";

const needs = needsRuntime(RUNTIMES.runc);

/** Runs busybox, until the first line of its output is there. */
async function run(module: ContainerModule, ns: string, name: string, command: string, options?: RunOptions) {
  await module.run(ns, name, BUSYBOX, [], [], undefined, [], command, options);
  for await (const _ of module.logs(ns, name, { follow: true })) return;
}

for (const [runtime, program] of Object.entries(RUNTIMES)) {
  test(`${runtime}: SIGTERM comes first, and then a grace`, needsRuntime(program), async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    const polite = `sh -c 'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.1; done'`;
    await run(module, bench.ns, "polite", polite);
    await module.delete(bench.ns, "polite", { graceMs: 60_000 });
    assert.equal(bench.log("polite"), "up\nbye\n");
    await run(module, bench.ns, "deaf", "sh -c 'echo up; exec sleep 1000'");
    const began = performance.now();
    await module.delete(bench.ns, "deaf", { graceMs: 300 });
    assert.ok(performance.now() - began >= 300);
    assert.deepEqual(bench.leftovers(), []);
  });

  test(`${runtime}: what has ended, or is not there, is deleted too`, needsRuntime(program), async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    await run(module, bench.ns, "a", "echo once", ONCE);
    assert.equal((await endOf(module, bench.ns, "a")).ours.state, "stopped");
    await module.delete(bench.ns, "a");
    await module.delete(bench.ns, "a");
    await module.delete(bench.ns, "never");
    assert.deepEqual(bench.leftovers(), []);
  });
}

test("two that delete at the same time both succeed", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const [one, other] = [await bench.open(), await bench.open()];
  await run(one, bench.ns, "a", "sh -c 'echo up; exec sleep 1000'");
  const both = [one, other].map((module) => module.delete(bench.ns, "a", { graceMs: 200 }));
  await Promise.all(both);
  assert.deepEqual(bench.leftovers(), []);
});

test(
  "a log stays, and the next container of its name goes on in it, unless it is to go",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const module = await bench.open();
    for (const word of ["one", "two"]) {
      await run(module, bench.ns, "a", `echo ${word}`, ONCE);
      await endOf(module, bench.ns, "a");
      assert.equal((await module.inspect(bench.ns, "a")).ours.restarts, 0);
      await module.delete(bench.ns, "a");
    }
    assert.equal(bench.log("a"), "one\ntwo\n");
    await module.delete(bench.ns, "a", { removeLog: true });
    assert.ok(!existsSync(`${bench.base}/log/${bench.ns}`));
  },
);

test(
  "what runs and is deleted is not started again, also in the pause before a restart",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const module = await bench.open();
    const restart = { limit: 3, delayMs: 60_000, stableMs: 60_000 };
    await run(module, bench.ns, "a", "echo up", { restart });
    for (let info = await module.inspect(bench.ns, "a"); info.ours.state !== "restarting"; ) {
      info = await module.inspect(bench.ns, "a");
    }
    await module.delete(bench.ns, "a");
    assert.deepEqual([bench.leftovers(), bench.log("a")], [[], "up\n"]);
  },
);

test(
  "a shim that is dead is replaced, so that SIGTERM and the grace are given all the same",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const module = await bench.open();
    const polite = `sh -c 'trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.1; done'`;
    await run(module, bench.ns, "a", polite);
    await bench.killShim("a");
    await module.delete(bench.ns, "a", { graceMs: 60_000 });
    assert.deepEqual([bench.leftovers(), bench.log("a")], [[], "up\nbye\n"]);
  },
);

test("without any shim, the runtime ends the container", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  await run(module, bench.ns, "a", "sh -c 'echo up; exec sleep 1000'");
  const { pid = 0 } = (await module.inspect(bench.ns, "a")).ours;
  const identity = identifyProcess(pid);
  await bench.killShim("a");
  const crippled = await bench.open({ shim: "/bin/false" });
  assert.match(
    bench.warnings.join(),
    /^ERR_SHIM_START: the shim does not start: it has ended without a word/,
  );
  assert.equal((await crippled.inspect(bench.ns, "a")).ours.state, "running");
  await crippled.delete(bench.ns, "a", { graceMs: 0 });
  assert.ok(identity && !isProcessAlive(identity));
  assert.deepEqual(bench.leftovers(), []);
});

test(
  "what cannot be removed of a deleted container is a warning, and goes with the next call",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const module = await bench.open();
    await run(module, bench.ns, "a", "echo once", ONCE);
    const kept = bench.place("a", "kept");
    mkdirSync(kept);
    await runCommand("mount", ["-t", "tmpfs", "tmpfs", kept], {});
    try {
      await module.delete(bench.ns, "a");
      assert.match(bench.warnings.join(), /^ERR_STORE: it is deleted, but \S+ cannot be removed: EBUSY/);
      assert.deepEqual(await module.list(), []);
      await run(module, bench.ns, "a", "echo twice", ONCE);
    } finally {
      await unmountIn(bench.base, "kept");
    }
    await module.delete(bench.ns, "a");
    assert.deepEqual([bench.leftovers(), bench.warnings.length], [[], 1]);
  },
);

test("logs of a container that is not there are refused", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  const read = () => readAll(module.logs(bench.ns, "a"));
  await assert.rejects(read, (error) => isHuskError(error, "ERR_CONTAINER_NOT_FOUND"));
});
