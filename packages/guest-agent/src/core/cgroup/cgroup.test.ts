import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { buildProgram } from "@husk/tiny/build";
import { needsStage, runStaged } from "../../../test/support/stage.ts";

const folder = await mkdtemp(join(tmpdir(), "husk-agent-"));
after(() => rm(folder, { recursive: true, force: true }));
const entry = join(import.meta.dirname, "../../../test/programs/cgroups.ts");
const { output: program } = await buildProgram({ entry, output: join(folder, "cgroups") });

async function report(scenario: string): Promise<unknown> {
  const line = await runStaged(program, scenario);
  return JSON.parse(line.slice(scenario.length));
}

// What needs controllers, which hosts with cgroups of version 1 do not have here, is tested in a VM: e2e.
describe("a cgroup", needsStage, () => {
  it("lets its processes use the devices that its rules allow, by whatever rules come next", async () => {
    assert.deepEqual(await report("devices"), {
      unlike: -1,
      denied: 1,
      freed: true,
      bad: 'LimitError: Devices.Type is "x": it must be "a", "b" or "c"',
      kept: true,
    });
  });

  it("stops its processes, lets them go on, and kills those that are stopped", async () => {
    const expected = { frozen: [true, true], populated: true, code: 5, killed: 137 };
    assert.deepEqual(await report("freezer"), expected);
  });

  it("tells of its events when they happen, and wakes nobody in between", async () => {
    assert.deepEqual(await report("events"), { quiet: true });
  });

  it("is removed with what its processes made in it, and is never outside the tree", async () => {
    const { bad, ...rest } = (await report("nested")) as { bad: string[] };
    assert.deepEqual(rest, {
      code: 3,
      left: [],
      taken: 'Error: cgroup "/pods/a/b/" is in use',
    });
    for (const text of bad) assert.match(text, /LimitError: ".*" is no path of a cgroup/s);
  });
});
