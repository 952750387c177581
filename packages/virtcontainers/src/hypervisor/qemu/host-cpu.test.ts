import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { readHostCpu } from "./host-cpu.ts";

test("the frequency of a constant TSC is read from the first CPU; any other is unknown", (t) => {
  const file = join(makeTempRoot(t).base, "cpuinfo");
  const cases: [string, number | undefined][] = [
    ["flags\t\t: fpu tsc constant_tsc\nbogomips\t: 5192.30\n\nflags : fpu\nbogomips : 1.00\n", 2_596_150],
    ["flags\t\t: fpu tsc\nbogomips\t: 5192.30\n", undefined],
    ["flags\t\t: constant_tsc\n", undefined],
    ["flags\t\t: constant_tsc\nbogomips\t: 0.00\n", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    writeFileSync(file, text);
    assert.equal(readHostCpu(file).tscKHz, expected, text);
  }
  assert.deepEqual(readHostCpu(join(file, "none")), { tscKHz: undefined, isVirtual: false });
});

test("a host that is a VM says so by a flag of its CPU", (t) => {
  const file = join(makeTempRoot(t).base, "cpuinfo");
  for (const [flags, expected] of [
    ["fpu hypervisor tsc", true],
    ["fpu hypervisors tsc", false],
  ] as const) {
    writeFileSync(file, `processor : 0\nflags\t\t: ${flags}\n`);
    assert.equal(readHostCpu(file).isVirtual, expected, flags);
  }
});
