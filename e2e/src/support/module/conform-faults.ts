import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerModule } from "@husk/container-module";
import { DEMO_ROOTFS } from "../places.ts";
import { it } from "../vm-test.ts";
import { ModulePlace, type TestedBackend } from "./module-place.ts";
import { endOf, killWorker, untilDead, untilSays, untilWritten } from "./until.ts";

const SLEEP = ["sleep", "1000"];
const ONCE = { restart: { limit: 0, delayMs: 0, stableMs: 0 } };
/** Moments of a call at which its process is killed, as parts of the time that it takes. */
const MOMENTS = { oci: [0.1, 0.25, 0.4, 0.55, 0.7, 0.85], vm: [0.3, 0.55, 0.8] };
/** Lines of a container that is a part of the tests of its log. */
const LINES = 6000;
/** Writes numbers, a little more than a thousand a second. */
const WRITER = `i=0; while [ $i -lt ${LINES} ]; do echo line $i; i=$((i+1)); [ $((i%100)) = 0 ] && sleep 0.08; done; exit 7`;
/** The same, with a rest in the middle that lasts until there is a file /tmp/go. */
const RESTING_WRITER = WRITER.replace(
  "; done",
  `; [ $i = ${LINES / 2} ] && until [ -e /tmp/go ]; do sleep 0.05; done; done`,
);
const WRITTEN = Array.from({ length: LINES }, (_, index) => `line ${index}\n`).join("");

/** Killed modules, killed shims, and the log meanwhile: facts 7.1 to 7.4. */
export function conformFaults(backend: TestedBackend): void {
  it("a module killed at any moment of run leaves a container that runs, or nothing", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const call = ["run", place.ns, "web", DEMO_ROOTFS, [], [], null, [], SLEEP] as const;
    const took = await timeCall(place, call);
    await (await place.open()).delete(place.ns, "web", { graceMs: 0 });
    for (const moment of momentsOf(backend)) {
      await killAt(place, call, took * moment);
      const module = await place.open();
      const [left] = await module.list();
      // Its shim may be at work still, and goes on.
      if (left) assert.match(left.ours.state, /^(creating|running)$/, `killed at ${moment}`);
      // Whatever there was, it can be run, and deleted.
      if (!left) await module.run(place.ns, "web", DEMO_ROOTFS, [], [], undefined, [], SLEEP);
      await module.delete(place.ns, "web", { graceMs: 0 });
      assert.deepEqual(place.leftovers(), [], `killed at ${moment}`);
    }
  });

  it("a module killed at any moment of delete has deleted it, or another does", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const call = ["delete", ns, "web", { graceMs: 100 }] as const;
    let took = 1000;
    for (const moment of [1, ...momentsOf(backend)]) {
      const module = await place.open();
      await module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], SLEEP);
      if (moment === 1) {
        took = await timeCall(place, call);
        continue;
      }
      await killAt(place, call, took * moment);
      const next = await place.open();
      for (const { ours } of await next.list()) assert.match(ours.state, /^(running|deleting)$/);
      await next.delete(ns, "web", { graceMs: 0 });
      assert.deepEqual(place.leftovers(), [], `killed at ${moment}`);
    }
  });

  it("containers outlive their module, killed or asked to end with its whole process group", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    for (const [name, killing] of [
      ["one", "SIGKILL"],
      ["two", "SIGTERM"],
      ["three", "SIGINT"],
    ] as const) {
      const command = ["sh", "-c", "while :; do echo here; sleep 0.1; done"];
      const call = ["run", ns, name, DEMO_ROOTFS, [], [], null, [], command] as const;
      const worker = place.start({ calls: [call], stay: true }, { group: true });
      await untilSays(worker, `"${name}"`);
      const before = await module.inspect(ns, name);
      process.kill(-(worker.pid ?? 0), killing);
      await once(worker, "exit");
      await untilWritten(module, ns, name, `${place.log(name)}here\n`);
      assert.deepEqual((await module.inspect(ns, name)).ours, before.ours);
      await module.delete(ns, name, { graceMs: 0 });
    }
  });

  it("a killed shim is replaced, and no line is lost while it is not there", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    await module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], ["sh", "-c", RESTING_WRITER], ONCE);
    const { pid } = (await module.inspect(ns, "web")).ours;
    for (const line of [500, 1500, 2500]) {
      await untilWritten(module, ns, "web", `line ${line}\n`);
      const shim = place.shimPid("web");
      process.kill(shim, "SIGKILL");
      await untilDead(shim);
      const { ours } = await (await place.open()).inspect(ns, "web");
      assert.deepEqual([ours.state, ours.pid], ["running", pid]);
      assert.notEqual(place.shimPid("web"), shim);
    }
    using toucher = await module.exec(ns, "web", ["touch", "/tmp/go"]);
    assert.deepEqual(await toucher.wait(), { exitCode: 0 });
    const { ours } = await endOf(module, ns, "web");
    assert.equal(place.log("web"), WRITTEN);
    // Whether anybody could be told its exit status is a matter of the runtime; it is never made up.
    assert.ok(ours.exitCode === 7 || ours.exitCode === undefined, `${ours.exitCode}`);
    await module.delete(ns, "web");
  });

  it("modules are killed again and again while containers write: no line is lost or doubled", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const names = ["one", "two"];
    const module = await place.open();
    for (const name of names)
      await module.run(ns, name, DEMO_ROOTFS, [], [], undefined, [], ["sh", "-c", WRITER], ONCE);
    for (const line of [1000, 2500, 4000]) {
      await untilWritten(module, ns, "one", `line ${line}\n`);
      // One that reads a log, and one that reads it and is never read itself.
      const readers = names.map((name) => place.start({ calls: [["logs", ns, name, { follow: true }]] }));
      await Promise.all(readers.map((reader) => untilSays(reader, "open")));
      await Promise.all(readers.map((reader) => killWorker(reader)));
    }
    for (const name of names) {
      assert.equal((await endOf(module, ns, name)).ours.exitCode, 7);
      assert.equal(place.log(name), WRITTEN);
      assert.equal(await readAll(module, ns, name, {}), WRITTEN);
      assert.equal(await readAll(module, ns, name, { tail: 2 }), WRITTEN.split("\n").slice(-3).join("\n"));
      await module.delete(ns, name);
    }
  });

  it("more than pipes hold is written while nobody is there, and nobody waits for slow readers", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const script =
      "sleep 1; i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; i=$((i+1)); done; exit 7";
    const call = ["run", ns, "web", DEMO_ROOTFS, [], [], null, [], ["sh", "-c", script], ONCE] as const;
    const worker = place.start({ calls: [call], stay: true });
    await untilSays(worker, '"web"');
    await killWorker(worker);
    const module = await place.open();
    const reading = module.logs(ns, "web", { follow: true })[Symbol.asyncIterator]();
    await reading.next();
    const { ours } = await endOf(module, ns, "web");
    await reading.return?.();
    assert.equal(ours.exitCode, 7);
    assert.equal(place.log("web").length, 3000 * 71);
    await module.delete(ns, "web");
  });
}

/** Each takes a boot or two. */
function momentsOf({ options }: TestedBackend): readonly number[] {
  return MOMENTS[options.backend ?? "vm"];
}

/** Lets another process make a call, which must succeed. @returns milliseconds from the process's start */
async function timeCall(place: ModulePlace, call: readonly [string, ...unknown[]]): Promise<number> {
  const begin = performance.now();
  const worker = place.start({ calls: [call] });
  worker.stdout?.resume();
  const [status] = await once(worker, "exit");
  assert.equal(status, 0);
  return performance.now() - begin;
}

/** Lets another process make a call, and kills it after some milliseconds. */
async function killAt(
  place: ModulePlace,
  call: readonly [string, ...unknown[]],
  afterMs: number,
): Promise<void> {
  const worker = place.start({ calls: [call] });
  worker.stdout?.resume();
  await delay(afterMs);
  await killWorker(worker);
}

async function readAll(
  module: ContainerModule,
  ns: string,
  id: string,
  options: { tail?: number },
): Promise<string> {
  let read = "";
  for await (const data of module.logs(ns, id, options)) read += Buffer.from(data).toString();
  return read;
}
