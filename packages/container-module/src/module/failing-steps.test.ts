import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import type { ContainerModule, RunOptions } from "../types.ts";

const needs = needsRuntime(RUNTIMES.runc);

/** A program that is runc, but for what a script does before. */
function makeRuntime({ base }: ModuleBench, script: string): string {
  const path = join(base, "runtime");
  writeFileSync(path, `#!/bin/sh\n${script}\nexec runc "$@"\n`, { mode: 0o755 });
  return path;
}

function run({ ns }: ModuleBench, module: ContainerModule, options?: RunOptions): Promise<string> {
  return module.run(ns, "a", BUSYBOX, [], [], undefined, [], "sleep 1000", options);
}

/** Expects that a run fails and leaves nothing, and that the next one of that name goes well. */
async function expectUndone(
  bench: ModuleBench,
  failing: Promise<unknown>,
  code: ErrorCode,
  why: RegExp,
): Promise<void> {
  await assert.rejects(failing, (error) => {
    assert.ok(isHuskError(error, code), String(error));
    assert.match(error.message, why);
    return true;
  });
  assert.deepEqual(bench.leftovers(), []);
  assert.ok(!existsSync(join(bench.base, "log", bench.ns)), "a log is left");
  const module = await bench.open({ runtime: "runc" });
  await run(bench, module);
  await module.delete(bench.ns, "a", { graceMs: 0, removeLog: true });
  assert.deepEqual([bench.leftovers(), bench.warnings], [[], []]);
}

test("the root file system's own words are wrong", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const root = join(bench.base, "root");
  mkdirSync(root);
  writeFileSync(join(root, ".startup.toml"), "[startup");
  const module = await bench.open();
  const failing = module.run(bench.ns, "a", root, [], [], undefined, [], "true");
  await expectUndone(bench, failing, "ERR_ENTRYPOINT_INVALID", /\.startup\.toml/);
});

test("the overlay cannot be mounted", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const stateRoot = join(bench.base, "sta:te");
  const module = await bench.open({ stateRoot });
  await expectUndone(bench, run(bench, module), "ERR_CONFIG_INVALID", /overlayfs takes no path with/);
  assert.deepEqual(await module.list(), []);
});

test("there is no shim", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open({ shim: "/none/such" });
  await expectUndone(bench, run(bench, module), "ERR_SHIM_START", /ENOENT/);
});

test("the shim ends at once", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open({ shim: "/bin/true" });
  await expectUndone(bench, run(bench, module), "ERR_SHIM_START", /without a word/);
});

for (const step of ["create", "start"]) {
  test(`the runtime's ${step} fails, after it has been done`, needs, async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const script = `case "$*" in *" ${step} "*) runc "$@" && echo no luck >&2; exit 1;; esac`;
    const module = await bench.open({ runtime: makeRuntime(bench, script) });
    await expectUndone(bench, run(bench, module), "ERR_RUNTIME", new RegExp(`\\(${step}\\)`));
  });
}

test("the caller goes away while the runtime is at work", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const mark = join(bench.base, "mark");
  const script = `case "$*" in *" create "*) mkfifo ${mark}; echo > ${mark}; sleep 1;; esac`;
  const module = await bench.open({ runtime: makeRuntime(bench, script) });
  const controller = new AbortController();
  const failing = run(bench, module, { signal: controller.signal });
  failing.catch(() => {});
  await untilThere(t, mark);
  controller.abort();
  await expectUndone(bench, failing, "ERR_ABORTED", /aborted/);
});

test("the caller goes away while the flist is fetched", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.closeAllConnections() ?? server.close());
  const module = await bench.open();
  const controller = new AbortController();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.fl`;
  const { signal } = controller;
  const failing = module.run(bench.ns, "a", url, [], [], undefined, [], "true", { signal });
  failing.catch(() => {});
  await once(server, "request");
  assert.equal((await module.inspect(bench.ns, "a")).ours.state, "creating");
  controller.abort();
  await expectUndone(bench, failing, "ERR_ABORTED", /aborted/);
});

/** Waits for a FIFO, and until somebody has written to it. */
async function untilThere(t: TestContext, path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(readFileSync(path, "utf8"), "\n", t.name);
}
