import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { buildProgram } from "@husk/tiny/build";
import { needsStage } from "../../../test/support/stage.ts";

const folder = await mkdtemp(join(tmpdir(), "husk-agent-"));
after(() => rm(folder, { recursive: true, force: true }));
const entry = join(import.meta.dirname, "../../../test/programs/seccomp.ts");
const { output: program } = await buildProgram({ entry, output: join(folder, "seccomp") });
const run = (scenario: string) => promisify(execFile)(program, [scenario], { timeout: 60_000 });
const report = async (scenario: string) => JSON.parse((await run(scenario)).stdout);

const [ENOENT, SIGSYS] = [2, 31];

describe("a process under a filter", needsStage, () => {
  it("is refused calls, killed for them, or let go on, as its profile says", async () => {
    assert.equal(await report("errno"), 77);
    assert.equal(await report("kill"), 128 + SIGSYS);
    assert.equal(await report("trap"), 128 + SIGSYS);
    assert.equal(await report("log"), ENOENT);
  });

  it("is refused calls by their arguments", async () => {
    assert.deepEqual(await report("arguments"), [77, 0]);
  });

  it("hands the filter on to the program that it becomes", async () => {
    const { stdout } = await run("shell");
    assert.match(stdout, /mkdir: .*Operation not permitted/);
    assert.match(stdout, /3$/);
  });

  it("needs a privilege, or none to come", async () => {
    const { stdout, stderr } = await run("unprivileged");
    assert.deepEqual(JSON.parse(stdout), [99, 77]);
    assert.match(stderr, /cannot install the seccomp filter: seccomp: Permission denied/);
  });
});
