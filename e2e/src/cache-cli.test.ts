import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe } from "node:test";
import { CacheServer } from "./support/cache-server.ts";
import { untilNoExitCommands } from "./support/detached.ts";
import { DEMO_ROOTFS, HUSK, INITRAMFS, KERNEL, RESIDENTS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SIZE = ["--memory", "128"];

describe("husk cache", () => {
  it("serves VMs, shows them, and ends", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using server = await CacheServer.ready(place, ["--number", "2", ...SIZE]);
    const shown = await place.husk(["cache", "status"]);
    assert.match(
      shown.stdout.toString(),
      /^server \d+, up for \d+ \w+: 2 of 2 VMs ready, 0 taken\n +PID +TIER +STATE +CPUS +MEMORY +AGE\n(.* ready +1 +128 MiB .*\n){2}$/,
    );
    const run = ["run", "--rm", ...SIZE, "--factory", "cache"];
    const timed = await place.husk([...run, "--timings", "--hostname", "one", "--", "hostname"]);
    assert.deepEqual([timed.status, timed.stdout.toString()], [0, "one\n"], timed.stderr);
    assert.match(timed.stderr, /vm-claimed/);
    assert.doesNotMatch(timed.stderr, /warning|qemu-spawned/);
    await server.full();
    const told = await place.husk(["cache", "status", "--json"]);
    assert.equal(JSON.parse(told.stdout.toString()).claimed, 1);
    const stopped = await place.husk(["cache", "stop"]);
    assert.equal(stopped.status, 0, stopped.stderr);
    assert.equal((await server.running.ended).status, 0);
  });

  for (const agent of ["hyperstart", "kata"])
    it(`hands VMs to detached commands, agent ${agent}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const vm = ["--agent", agent, ...SIZE];
      await using _ = await CacheServer.ready(place, ["--number", "1", ...vm]);
      const run = ["run", "-d", ...vm, "--name", "far", "--factory", "cache"];
      const started = await place.husk([...run, "--timings", "--", "sh", "-c", "echo here; exit 3"]);
      assert.equal(started.status, 0, started.stderr);
      assert.match(started.stderr, /vm-claimed/);
      assert.doesNotMatch(started.stderr, /warning/);
      assert.equal((await place.husk(["wait", "far"])).stdout.toString(), "3\n");
      assert.equal((await place.husk(["logs", "far"])).stdout.toString(), "here\n");
      assert.equal((await place.husk(["rm", "-f", "far"])).status, 0);
      await untilNoExitCommands(place);
    });

  it("makes a VM of its own, with a warning, where none waits or none fits", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const run = ["run", "--rm", ...SIZE, "--factory", "cache"];
    const alone = await place.husk([...run, "--", "echo", "here"]);
    assert.deepEqual([alone.status, alone.stdout.toString()], [0, "here\n"], alone.stderr);
    assert.match(alone.stderr, /^husk: warning: .*\[ERR_CACHE_UNREACHABLE\]/);
    await using server = await CacheServer.ready(place, ["--number", "1", ...SIZE]);
    const other = await place.husk([...run, "--agent", "kata", "--", "echo", "there"]);
    assert.deepEqual([other.status, other.stdout.toString()], [0, "there\n"], other.stderr);
    assert.match(other.stderr, /^husk: warning: .*\[ERR_CACHE_MISMATCH\]/);
    const copy = await place.husk([...run, "--agent", "kata", "--factory", "cache+template", "--", "true"]);
    assert.equal(copy.status, 0, copy.stderr);
    assert.equal((await place.husk(["factory", "destroy"])).stdout.toString(), "1 template removed\n");
    const { claimed, vms } = await server.status();
    assert.deepEqual([claimed, vms.length], [0, 1]);
  });

  it("works where husk is without its repository, with no root file system of its own", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const main = join(place.folder, "husk.cjs");
    cpSync(HUSK, main);
    cpSync(join(dirname(HUSK), "husk"), join(place.folder, "husk"), { recursive: true });
    const guest = { HUSK_KERNEL: KERNEL, HUSK_INITRAMFS: INITRAMFS, HUSK_RESIDENTS: RESIDENTS };
    const start = (...args: string[]) => place.startProgram(process.execPath, [main, ...args], guest);
    const made = await start("factory", "init", ...SIZE).ended;
    const destroyed = await start("factory", "destroy").ended;
    assert.deepEqual([made.status, destroyed.stdout.toString()], [0, "1 template removed\n"], made.stderr);
    const server = start("cache", "serve", "--number", "1", ...SIZE);
    await server.stdout.waitFor(/^ready: 1 VM$/m);
    const pod = ["run", "--rm", ...SIZE, "--timings", "--factory", "cache", "--"];
    const without = await start(...pod, "true").ended;
    assert.match(without.stderr, /no root file system .*\nhint: give one: --rootfs DIR/);
    const run = await start(...pod.slice(0, -1), "--rootfs", DEMO_ROOTFS, "--", "echo", "here").ended;
    assert.deepEqual([run.status, run.stdout.toString()], [0, "here\n"], run.stderr);
    assert.match(run.stderr, /vm-claimed/);
    assert.equal((await start("cache", "stop").ended).status, 0);
    assert.equal((await server.ended).status, 0);
  });

  it("is asked at an endpoint that the environment names", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const env = { HUSK_FACTORY: "cache", HUSK_CACHE_ENDPOINT: `${place.folder}/here.sock` };
    await using _ = await CacheServer.ready(place, [
      "--number",
      "1",
      ...SIZE,
      "--endpoint",
      env.HUSK_CACHE_ENDPOINT,
    ]);
    const { status, stderr } = await place.huskWith(env, ["run", "--rm", ...SIZE, "--timings", "--", "true"]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /vm-claimed/);
    const elsewhere = await place.husk(["cache", "status"]);
    assert.equal(elsewhere.status, 125);
    assert.match(elsewhere.stderr, /\[ERR_CACHE_UNREACHABLE\]\nhint: /);
    assert.equal((await place.husk(["cache", "stop"])).status, 125);
  });
});
