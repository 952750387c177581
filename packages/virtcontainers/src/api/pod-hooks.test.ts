import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createPod, deletePod, runPod, startPod, statusPod, stopPod } from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import type { Hook } from "../types/index.ts";

/** A hook that adds a line to a log: its name and the status that it was told. */
function logHook(log: string, name: string, more = ""): Hook {
  const script = `printf '%s ' ${name} >> ${log}; sed 's/.*"status":"\\([a-z]*\\)".*/\\1/' >> ${log}; ${more}`;
  return { path: "/bin/sh", args: ["sh", "-c", script], env: [`PATH=${process.env.PATH}`] };
}

function makeHookBench(t: Parameters<typeof makeMockBench>[0]) {
  const bench = makeMockBench(t);
  const log = join(bench.base, "log");
  const warnings: Error[] = [];
  const options = { ...bench.options, onWarning: (warning: Error) => warnings.push(warning) };
  const hook = (name: string, more?: string) => logHook(log, name, more);
  /** what the hooks have written since the last time */
  const told = () => {
    const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    writeFileSync(log, "");
    return lines.filter((line) => line !== "");
  };
  const hooks = {
    preStartHooks: [hook("pre1"), hook("pre2")],
    postStartHooks: [hook("started")],
    postStopHooks: [hook("stop1"), hook("stop2")],
  };
  return { ...bench, options, warnings, hook, hooks, told };
}

const AFTER = ["stop1 stopped", "stop2 stopped"];
const BEFORE = ["pre1 creating", "pre2 creating"];

test("hooks run in their order at their moments, for each VM anew", async (t) => {
  const { config, options, hooks, told, warnings } = makeHookBench(t);
  await createPod(config({ hooks }), options);
  assert.deepEqual(told(), BEFORE);
  await startPod("pod", options);
  assert.deepEqual(told(), ["started running"]);
  await stopPod("pod", options);
  assert.deepEqual(told(), AFTER);
  await stopPod("pod", options);
  assert.deepEqual(told(), []);
  await startPod("pod", options);
  assert.deepEqual(told(), [...BEFORE, "started running"]);
  await deletePod("pod", options);
  assert.deepEqual(told(), AFTER);
  await runPod(config({ hooks }), options);
  assert.deepEqual(told(), [...BEFORE, "started running"]);
  await stopPod("pod", options);
  told();
  await deletePod("pod", options);
  assert.deepEqual(told(), []);
  assert.deepEqual(warnings, []);
});

test("a PreStart hook that fails undoes the pod, and what was done before is cleaned up after", async (t) => {
  const { config, options, hook, hooks, told, root } = makeHookBench(t);
  const failing = { ...hooks, preStartHooks: [hook("pre1"), hook("bad", "exit 5"), hook("never")] };
  for (const call of [createPod, runPod]) {
    const refused = { code: "ERR_HOOK_FAILED", message: /the PreStart hook .* ended with status 5/ };
    await assert.rejects(call(config({ hooks: failing }), options), refused);
    assert.deepEqual(told(), ["pre1 creating", "bad creating", ...AFTER]);
    assert.deepEqual(readdirSync(join(root, "pods")), []);
  }
  const slow = { path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 };
  await assert.rejects(createPod(config({ hooks: { preStartHooks: [slow] } }), options), {
    code: "ERR_HOOK_TIMEOUT",
  });
  assert.deepEqual(readdirSync(join(root, "pods")), []);
});

test("a VM that does not start is followed by the PostStop hooks", async (t) => {
  const { config, options, hooks, told, root } = makeHookBench(t);
  for (const step of ["startPod", "waitPod"]) {
    await assert.rejects(createPod(config({ hooks }, step), options), { code: "ERR_QMP" });
    assert.deepEqual(told(), [...BEFORE, ...AFTER], step);
    assert.deepEqual(readdirSync(join(root, "pods")), []);
  }
});

test("a restart that a PreStart hook refuses leaves a stopped pod", async (t) => {
  const { config, options, hook, hooks, told, base } = makeHookBench(t);
  const once = hook("once", `! test -e ${base}/done && touch ${base}/done`);
  await runPod(config({ hooks: { ...hooks, preStartHooks: [once] } }), options);
  await stopPod("pod", options);
  told();
  await assert.rejects(startPod("pod", options), { code: "ERR_HOOK_FAILED" });
  assert.deepEqual(told(), ["once creating", ...AFTER]);
  const { state, containersStatus } = await statusPod("pod", options);
  assert.deepEqual([state, ...containersStatus.map((c) => c.state)], ["stopped", "stopped", "stopped"]);
});

test("a PostStart or PostStop hook that fails is a warning", async (t) => {
  const { config, options, hook, warnings, told } = makeHookBench(t);
  const hooks = { postStartHooks: [hook("up", "exit 1")], postStopHooks: [hook("down", "exit 2")] };
  await runPod(config({ hooks }), options);
  assert.equal((await statusPod("pod", options)).state, "running");
  await stopPod("pod", options);
  assert.deepEqual(
    warnings.map(({ message }) => /the (\w+) hook .* status (\d)/.exec(message)?.slice(1)),
    [
      ["PostStart", "1"],
      ["PostStop", "2"],
    ],
  );
  assert.deepEqual(told(), ["up running", "down stopped"]);
});

test("hooks for the end of a VM that died by itself run with the next call", async (t) => {
  const { config, options, hooks, told, root } = makeHookBench(t);
  const path = join(root, "pods", "pod", "pod.json");
  const die = () => {
    const record = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...record, vm: { ...record.vm, startTime: "1" } }));
  };
  await runPod(config({ hooks }), options);
  told();
  die();
  await startPod("pod", options);
  assert.deepEqual(told(), [...AFTER, ...BEFORE, "started running"]);
  die();
  await deletePod("pod", options);
  assert.deepEqual(told(), AFTER);
});
