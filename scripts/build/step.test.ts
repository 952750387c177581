import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, mock, test } from "node:test";
import { type BuildStep, runChangedSteps } from "./step.ts";

let root: string;
let ran: string[];
let made = 0;
let said: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "husk-step-"));
  await mkdir(join(root, "build"));
  await writeFile(join(root, "source"), "1");
  ran = [];
  said = "";
  mock.method(process.stderr, "write", (chunk: string) => {
    said += chunk;
    return true;
  });
});

afterEach(async () => {
  mock.restoreAll();
  await rm(root, { recursive: true });
});

function makeStep(name: string, inputs: string[], work = async () => {}): BuildStep {
  return {
    name,
    title: `making ${name}`,
    inputs,
    outputs: [name],
    hint: "do better",
    run: async () => {
      ran.push(name);
      await work();
      made += 1;
      await writeFile(join(root, name), `made as number ${made}`);
    },
  };
}

const build = (steps: BuildStep[]) => runChangedSteps(steps, { root, output: join(root, "build") });

test("only what changed is done again, and what is made of it", async () => {
  const steps = [makeStep("first", ["source"]), makeStep("second", ["first"]), makeStep("other", [])];
  assert.equal(await build(steps), 0);
  assert.deepEqual(ran.splice(0), ["first", "second", "other"]);
  assert.equal(await build(steps), 0);
  assert.deepEqual(ran.splice(0), []);
  await writeFile(join(root, "source"), "2");
  await build(steps);
  assert.deepEqual(ran.splice(0), ["first", "second"]);
});

test("a lost output is made again", async () => {
  const steps = [makeStep("first", ["source"])];
  await build(steps);
  await rm(join(root, "first"));
  await build(steps);
  assert.deepEqual(ran, ["first", "first"]);
});

test("a failure ends the build and is told with its hint; the step is done again later", async () => {
  let broken = true;
  const steps = [
    makeStep("first", ["source"], async () => {
      if (broken)
        throw Object.assign(new Error("gcc ended with status 1"), { output: "line one\nline two\n" });
    }),
    makeStep("second", []),
  ];
  // An output of an earlier time must not make the failed step pass for done.
  await writeFile(join(root, "first"), "old");
  assert.equal(await build(steps), 1);
  assert.deepEqual(ran, ["first"]);
  assert.match(
    said,
    /making first failed: gcc ended with status 1\n {2}line one\n {2}line two\nhusk: hint: do better/,
  );
  broken = false;
  assert.equal(await build(steps), 0);
  assert.deepEqual(ran, ["first", "first", "second"]);
});
