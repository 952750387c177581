import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { ShimClient } from "../../test/support/shim-client.ts";

const bench = await ShimBench.build();
after(() => bench.remove());

const SHIMS = 50;
/** How often they may be found awake before they sleep. */
const QUIET_TRIES = 5;
/** Most memory that one may take, in KiB of its share. */
const MOST_KB = 3072;

async function numberIn(path: string, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await readFile(path, "utf8"))?.[1]);
}

const waitsOf = (pid: number | undefined) =>
  numberIn(`/proc/${pid}/status`, /^voluntary_ctxt_switches:\s+(\d+)/m);

test("fifty at once: each has its container, little memory, and sleeps", async (t) => {
  const containers = await Promise.all(
    Array.from({ length: SHIMS }, (_, at) => bench.shell(t, `echo ${at}; exec sleep 1000`)),
  );
  const shims = await Promise.all(containers.map((container) => container.run()));
  const shares = await Promise.all(
    shims.map((shim) => numberIn(`/proc/${shim.pid}/smaps_rollup`, /^Pss:\s+(\d+)/m)),
  );
  t.diagnostic(
    `${Math.max(...shares)} KiB at most, ${shares.reduce((sum, share) => sum + share) / SHIMS} on average`,
  );
  assert.ok(Math.max(...shares) <= MOST_KB);
  await Promise.all(containers.map((container, at) => container.whenLogged(`${at}\n`)));
  const readWaits = () => Promise.all(shims.map((shim) => waitsOf(shim.pid)));
  let before: number[] | undefined;
  let now = await readWaits();
  // What they had to do may not have been done at first.
  for (let tries = 0; tries < QUIET_TRIES && !isDeepStrictEqual(now, before); tries++) {
    before = now;
    await delay(2000);
    now = await readWaits();
  }
  assert.deepEqual(now, before);
  for (const shim of shims) shim.kill("SIGKILL");
  await Promise.all(
    shims.map((shim) => shim.exitCode === null && shim.signalCode === null && once(shim, "exit")),
  );
  const reports = await Promise.all(containers.map((container) => container.startShim().report));
  assert.ok(reports.every((report) => report && "ok" in report && report.adopted));
  const answers = await Promise.all(
    containers.map(({ plan }) => ShimClient.call(plan.socket, { method: "stop", graceMs: 5000 })),
  );
  assert.ok(answers.every(({ last }) => last.kind === "state" && last.state.state === "stopped"));
  const logs = await Promise.all(containers.map((container) => container.readLog()));
  assert.deepEqual(
    logs,
    logs.map((_, at) => `${at}\n`),
  );
});
