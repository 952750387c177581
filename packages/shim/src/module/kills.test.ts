import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  findRuntime,
  makeBundle,
  ociCommands,
  removeTestCgroup,
  skipWithout,
} from "../../test/support/oci-bundle.ts";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { ShimClient } from "../../test/support/shim-client.ts";

const bench = await ShimBench.build();
after(async () => {
  await bench.remove();
  removeTestCgroup();
});

const ROUNDS = 15;
/** Milliseconds that a shim lives at most in the first rounds. */
const LONGEST_LIFE_MS = 400;
const STATES = ["creating", "running", "restarting"];

test("a shim can be killed at any step of a container's life", { skip: skipWithout("runc") }, async (t) => {
  const folder = bench.nextFolder();
  const id = `modshim-kills-${process.pid}`;
  await makeBundle(folder, id, "echo begun; sleep 0.05; echo ended; exit 1");
  const runtime = findRuntime("runc") ?? "";
  const container = await bench.container(t, folder, ociCommands(runtime, folder, id), {
    restart: { limit: 1_000_000, delayMs: 10, windowMs: 600_000 },
  });
  const list = () =>
    execFileSync(runtime, ["--root", `${folder}/runtime`, "list", "-q"], { encoding: "utf8" });
  let restarts = 0;
  // On a busy machine no start may come to its end at first.
  for (let round = 0; round < ROUNDS || (restarts === 0 && round < 10 * ROUNDS); round++) {
    const { process: shim } = container.startShim();
    const ended = once(shim, "exit");
    await delay(Math.random() * LONGEST_LIFE_MS * Math.ceil((round + 1) / ROUNDS));
    shim.kill("SIGKILL");
    await ended;
    const state = await container.readState().catch(() => undefined);
    if (!state) continue;
    assert.ok(STATES.includes(state.state), JSON.stringify(state));
    assert.ok(state.restarts >= restarts, `${state.restarts} after ${restarts}`);
    restarts = state.restarts;
  }
  // What the last one had just forked may have its lock for a moment more.
  execFileSync("flock", ["--wait", "60", container.plan.lock, "true"]);
  const { process: last } = container.startShim();
  await container.whenState("running", (state) => state.shimPid === last.pid && state.restarts > restarts);
  const answer = await ShimClient.call(container.plan.socket, { method: "stop", graceMs: 100 });
  assert.ok(answer.last.kind === "state" && answer.last.state.state === "stopped", JSON.stringify(answer));
  await ShimClient.call(container.plan.socket, { method: "quit" });
  assert.equal(list(), "");
  // A runtime that is killed may say a word there, too.
  const lines = (await container.readLog()).split("\n").filter((line) => /^(begun|ended)$/.test(line));
  for (const [at, line] of lines.entries())
    assert.ok(line === "begun" || lines[at - 1] === "begun", lines.join(" "));
  t.diagnostic(`${ROUNDS} shims were killed, ${restarts} restarts`);
});
