import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeResidents } from "./build.ts";

const PROGRAMS = ["cc-proxy", "cc-shim", "husk-tap", "kata-proxy", "kata-shim", "module-shim"];

const output = await mkdtemp(join(tmpdir(), "husk-resident-"));
after(() => rm(output, { recursive: true, force: true }));
await makeResidents(output, join(import.meta.dirname, "main.ts"), () => {});
const folder = join(output, "resident");

function run(name: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(folder, name), args, { encoding: "utf8", timeout: 30_000 });
}

test("there is one program and a link for each name of it", async () => {
  assert.deepEqual((await readdir(folder)).sort(), [...PROGRAMS, "husk-resident"].sort());
  for (const name of PROGRAMS) assert.equal(await readlink(join(folder, name)), "husk-resident");
});

for (const name of PROGRAMS) {
  test(`it is ${name} by that name, and by that argument`, () => {
    const byName = run(name, "-no-such-flag");
    assert.ok(byName.stderr.startsWith(`${name}: `), byName.stderr);
    assert.notEqual(byName.status, 0);
    assert.deepEqual(run("husk-resident", name, "-no-such-flag").stderr, byName.stderr);
  });
}

test("else it says which programs there are", () => {
  for (const args of [[], ["docker-shim"]]) {
    const { status, stderr } = run("husk-resident", ...args);
    assert.equal(status, 2);
    assert.equal(
      stderr,
      `usage: husk-resident PROGRAM [options]\nPROGRAM is one of ${PROGRAMS.join(", ")}\n`,
    );
  }
});
