import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe } from "node:test";
import { promisify } from "node:util";
import { buildProgram } from "@husk/tiny/build";
import { makeInitramfs } from "./support/broken-guest.ts";
import { KERNEL, REPOSITORY } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** What becomes of processes in cgroups, told by a program that is a VM's first process: the agent's own code. */
const PROGRAM = join(REPOSITORY, "packages/guest-agent/test/programs/cgroups.ts");

/** What each scenario found. */
async function runScenarios(place: Workplace, names: string[]): Promise<Record<string, unknown>> {
  const { output } = await buildProgram({ entry: PROGRAM, output: join(place.folder, "cgroups") });
  const args = ["-machine", "q35,i8042=off,sata=off", "-cpu", "max", "-m", "256", "-nodefaults"];
  args.push("-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", KERNEL);
  args.push("-initrd", makeInitramfs(place, "cgroups", output));
  args.push("-append", `console=ttyS0 quiet panic=-1 -- machine ${names.join(" ")}`);
  const { stdout } = await promisify(execFile)("qemu-system-x86_64", args, { timeout: 120_000 });
  const found = names.map((name) => {
    const line = stdout.split("\n").find((one) => one.includes(`${name} {`)) ?? assert.fail(stdout);
    return [name, JSON.parse(line.slice(line.indexOf("{")))];
  });
  return Object.fromEntries(found);
}

describe("cgroups in the guest", () => {
  it("limit, count and stop what is in them, and harm nobody else", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const names = ["devices", "freezer", "hugetlb", "limits", "forks", "memory", "container", "counts"];
    const { devices, limits, ...rest } = await runScenarios(place, names);
    assert.partialDeepStrictEqual(devices, { denied: 1, freed: true, kept: true });
    assert.deepEqual(limits, {
      set: ["20", "50000 20000", "0", "67108864", "33554432", "1048576", "50", "default 4950"],
      bad: 'LimitError: cannot set io.max to "250:7 rbps=1000": write: No such device',
      same: true,
      changed: ["50000 10000", "max"],
    });
    assert.deepEqual(rest, {
      freezer: { frozen: [true, true], populated: true, code: 5, killed: 137 },
      hugetlb: {
        set: "4194304",
        bad: 'LimitError: the guest\'s kernel has no "hugetlb.3MB.max" to set',
        after: "4194304",
        usage: "0",
      },
      forks: { count: 50, current: "49", limit: "50", neighbour: 7 },
      memory: { code: 137, told: 1, neighbour: 5, limit: "33554432", met: true, peak: true },
      container: {
        bounded: true,
        denied: 1,
        bad: 'LimitError: Devices.Type is "x": it must be "a", "b" or "c"',
        worse: "LimitError: Memory.Limit is -7: it must be -1 for no limit, or more",
        same: [false, true],
        after: ["9", false],
      },
      counts: { cpu: true, memory: true, anon: true, unlimited: true, pids: "1" },
    });
  });
});
