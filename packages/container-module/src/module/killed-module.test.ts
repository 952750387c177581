import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { untilLogged } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import type { ContainerModule } from "../types.ts";

const WORKER = fileURLToPath(new URL("../testing/module-worker.ts", import.meta.url));
const COMMAND = "sh -c 'echo up; exec sleep 1000'";
const needs = needsRuntime(RUNTIMES.runc);

/** A process that makes a call, and is killed. */
class Caller {
  readonly #worker: ChildProcess;

  constructor(bench: ModuleBench, method: "run" | "delete", runtime = RUNTIMES.runc, root = BUSYBOX) {
    const options = JSON.stringify({ ...bench.options(), runtime });
    const args = JSON.stringify({ ns: bench.ns, root, command: COMMAND });
    this.#worker = spawn(process.execPath, [WORKER, options, method, args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  async begins(): Promise<void> {
    if (this.#worker.stdout) await once(this.#worker.stdout, "data");
  }

  async kill(): Promise<void> {
    const exit = once(this.#worker, "exit");
    this.#worker.kill("SIGKILL");
    await exit;
  }
}

/** A runtime that stops at one of its commands, until it is told to go on. */
class HeldRuntime {
  readonly path: string;
  readonly #at: string;
  readonly #on: string;

  constructor({ base }: ModuleBench, command: string) {
    [this.path, this.#at, this.#on] = ["runtime", "at", "on"].map((name) => join(base, name)) as [
      string,
      string,
      string,
    ];
    execFileSync("mkfifo", [this.#at, this.#on]);
    const hold = `case "$*" in *" ${command} "*) [ -p ${this.#at} ] && echo > ${this.#at} && cat ${this.#on};; esac`;
    writeFileSync(this.path, `#!/bin/sh\n${hold}\nexec runc "$@"\n`, { mode: 0o755 });
  }

  /** Waits until it has come to its command. */
  async reached(): Promise<void> {
    await readFile(this.#at);
  }

  /** Lets it go on; it does not stop again. */
  async goOn(): Promise<void> {
    execFileSync("rm", [this.#at]);
    await writeFile(this.#on, "");
  }
}

async function untilRunning(module: ContainerModule, ns: string): Promise<void> {
  for await (const _ of module.logs(ns, "a", { follow: true })) break;
  for (let state = "creating"; state === "creating"; ) ({ state } = (await module.inspect(ns, "a")).ours);
  assert.equal((await module.inspect(ns, "a")).ours.state, "running");
}

test("killed while it fetches the root file system, it leaves nothing", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.closeAllConnections() ?? server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.fl`;
  const caller = new Caller(bench, "run", RUNTIMES.runc, url);
  await once(server, "request");
  await caller.kill();
  const module = await bench.open();
  assert.deepEqual([await module.list(), bench.leftovers()], [[], []]);
});

for (const step of ["create", "start"]) {
  test(`killed while the runtime is at ${step}, it leaves a container that runs`, needs, async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const runtime = new HeldRuntime(bench, step);
    const caller = new Caller(bench, "run", runtime.path);
    await runtime.reached();
    await caller.kill();
    const module = await bench.open();
    assert.equal((await module.inspect(bench.ns, "a")).ours.state, "creating");
    await runtime.goOn();
    await untilRunning(module, bench.ns);
    assert.deepEqual(bench.warnings, []);
  });
}

test("killed with its shim while the runtime is at create, it leaves nothing", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const runtime = new HeldRuntime(bench, "create");
  const caller = new Caller(bench, "run", runtime.path);
  await runtime.reached();
  await caller.kill();
  await bench.killShim("a");
  await runtime.goOn();
  const module = await bench.open();
  assert.deepEqual([await module.list(), bench.leftovers()], [[], []]);
});

test("killed while it deletes, the next one finishes that", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const runtime = new HeldRuntime(bench, "delete");
  const before = await bench.open({ runtime: runtime.path });
  await before.run(bench.ns, "a", BUSYBOX, [], [], undefined, [], COMMAND);
  const caller = new Caller(bench, "delete");
  await runtime.reached();
  await caller.kill();
  const opening = bench.open();
  await runtime.goOn();
  const module = await opening;
  assert.deepEqual([await module.list(), bench.leftovers(), bench.warnings], [[], [], []]);
});

test("killed when the name is free that it deletes, it leaves nothing", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const before = await bench.open();
  // Many files, whose removal takes a while.
  const command = ["sh", "-c", "for i in $(seq 3000); do : > /$i; done; echo up; exec sleep 1000"];
  await before.run(bench.ns, "a", BUSYBOX, [], [], undefined, [], command);
  await untilLogged(before, bench.ns, "a", "up\n");
  const caller = new Caller(bench, "delete");
  while (existsSync(bench.place("a", ""))) await new Promise((resolve) => setImmediate(resolve));
  await caller.kill();
  const module = await bench.open();
  assert.deepEqual([await module.list(), bench.leftovers(), bench.warnings], [[], [], []]);
});

test("killed at any moment of a run, it leaves a container that runs, or nothing", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  for (const delayMs of [5, 30, 60, 100, 180, 300]) {
    const caller = new Caller(bench, "run");
    await caller.begins();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await caller.kill();
    const module = await bench.open();
    if ((await module.list()).length > 0) {
      await untilRunning(module, bench.ns);
      await module.delete(bench.ns, "a", { graceMs: 0 });
    }
    assert.deepEqual(bench.leftovers(), [], `after ${delayMs} ms`);
  }
});
