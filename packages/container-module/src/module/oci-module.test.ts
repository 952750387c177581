import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { test } from "node:test";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { makeTestNamespace } from "@husk/virtcontainers/testing/test-namespace";
import { endOf } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";

for (const [runtime, program] of Object.entries(RUNTIMES)) {
  const needs = needsRuntime(runtime);

  test(`${runtime}: a container runs, is seen by another module, and is deleted`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const { ns } = bench;
    const mounts = [{ source: "/usr/share/doc", target: "/new/place", options: ["ro"] }];
    const one = await bench.open();
    const command = ["sh", "-c", "echo out; echo err >&2; echo $A; exec sleep 1000"];
    assert.equal(
      await one.run(ns, "web", BUSYBOX, ["a", "b=c"], ["A=1 2"], undefined, mounts, command),
      "web",
    );
    const other = await bench.open();
    const { ours, ...info } = await other.inspect(ns, "web");
    assert.deepEqual(info, { id: "web", name: "web", flist: BUSYBOX, tags: ["a", "b=c"], mounts });
    assert.deepEqual([ours.state, ours.restarts, ours.args, ours.backend], ["running", 0, command, "oci"]);
    assert.match(readFileSync(`/proc/${ours.pid}/cmdline`, "utf8"), /^(sh|sleep)\0/);
    assert.deepEqual(
      (await other.list()).map(({ id }) => id),
      ["web"],
    );
    await other.delete(ns, "web", { graceMs: 100 });
    assert.equal(bench.log("web"), "out\nerr\n1 2\n");
    await assert.rejects(one.inspect(ns, "web"), (error) => isHuskError(error, "ERR_CONTAINER_NOT_FOUND"));
    assert.deepEqual(bench.leftovers(), []);
    assert.ok(
      !statSync(join(BUSYBOX, "new"), { throwIfNoEntry: false }),
      "the root file system was written to",
    );
  });
}
