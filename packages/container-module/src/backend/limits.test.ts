import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { endOf, ONCE } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import { containerCgroup } from "./cgroup.ts";

const MIB = 1024 ** 2;
const needs = needsRuntime(RUNTIMES.runc);

/** A limit of a cgroup: of version 2, or else of version 1. */
function readLimit(cgroup: string, file: string, controller: string, files: readonly string[]): string {
  const unified = `/sys/fs/cgroup/${cgroup}/${file}`;
  if (existsSync(unified)) return readFileSync(unified, "utf8").trim();
  return files
    .map((name) => readFileSync(`/sys/fs/cgroup/${controller}/${cgroup}/${name}`, "utf8").trim())
    .join(" ");
}

test("memory and processors are limited", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  const options = { ...ONCE, memory: 32 * MIB, cpus: 0.5 };
  await module.run(bench.ns, "a", BUSYBOX, [], [], undefined, [], "sleep 1000", options);
  const cgroup = containerCgroup({ ns: bench.ns, name: "a" });
  const cpu = readLimit(cgroup, "cpu.max", "cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]);
  assert.equal(cpu, "50000 100000");
  assert.equal(readLimit(cgroup, "memory.max", "memory", ["memory.limit_in_bytes"]), String(32 * MIB));
});

test("who runs out of memory is told so", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  const options = { ...ONCE, memory: 16 * MIB };
  await module.run(bench.ns, "a", BUSYBOX, [], [], undefined, [], "tail /dev/zero", options);
  const { ours } = await endOf(module, bench.ns, "a");
  assert.deepEqual([ours.state, ours.exitCode], ["stopped", 137]);
  assert.match(ours.reason ?? "", /it ran out of memory/);
});
