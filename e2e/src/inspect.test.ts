import assert from "node:assert/strict";
import { describe } from "node:test";
import { processListContainer } from "@husk/virtcontainers";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const FOREGROUND = ["-i", "--", "sh", "-c", "echo up; cat"];

describe("husk pause and resume", () => {
  it("freeze a pod, and let it go on", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--rm", "--name", "web", ...FOREGROUND]);
    await foreground.stdout.waitFor(/up/);
    const paused = await place.husk(["pause", "web", "none"]);
    assert.deepEqual([paused.status, paused.stdout.toString()], [125, "web\n"]);
    assert.match(paused.stderr, /\[ERR_POD_NOT_FOUND\]/);
    assert.match((await place.husk(["ps"])).stdout.toString(), /^web +paused/m);
    for (const command of [
      ["exec", "web", "--", "true"],
      ["top", "web"],
      ["pause", "web"],
    ]) {
      const { status, stderr } = await place.husk(command);
      assert.equal(status, 125, command.join(" "));
      assert.match(stderr, /pod "web" is paused.*\[ERR_STATE_INVALID\]/, command.join(" "));
    }
    foreground.child.stdin.end("said while it was frozen\n");
    assert.equal((await place.husk(["resume", "web"])).stdout.toString(), "web\n");
    const { status, stdout } = await foreground.ended;
    assert.deepEqual([status, stdout.toString()], [0, "up\nsaid while it was frozen\n"]);
  });

  it("do not keep a frozen pod from being removed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--name", "web", ...FOREGROUND]);
    await foreground.stdout.waitFor(/up/);
    await place.husk(["pause", "web"]);
    assert.match((await place.husk(["rm", "web"])).stderr, /pod web is paused/);
    assert.equal((await place.husk(["rm", "-f", "web"])).status, 0);
    await foreground.ended;
  });
});

describe("husk top and inspect", () => {
  it("tell what runs in a pod, and what it is", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--rm", "--name", "web", ...FOREGROUND]);
    await foreground.stdout.waitFor(/up/);
    // Only now the shell has become cat for sure.
    foreground.child.stdin.write("here\n");
    await foreground.stdout.waitFor(/here/);
    const table = (await place.husk(["top", "web"])).stdout.toString();
    assert.match(table, /^UID +PID +PPID .*CMD\n/);
    assert.match(table, / cat$/m);
    const columns = (await place.husk(["top", "web/web", "--", "-o", "pid,comm"])).stdout.toString();
    assert.match(columns, /^ *PID COMMAND\n( *\d+ \S+\n)+$/);
    const pids = JSON.parse((await place.husk(["top", "--json", "web"])).stdout.toString());
    assert.ok(pids.length >= 1 && pids.every(Number.isInteger), String(pids));
    const listed = await processListContainer("web", "web", { format: "json" }, place.options);
    assert.deepEqual(JSON.parse(Buffer.from(listed).toString()), pids);
    const refused = await place.husk(["top", "web", "--", "--forest"]);
    assert.match(refused.stderr, /--forest.*\[ERR_AGENT_REFUSED\]/);

    const pod = JSON.parse((await place.husk(["inspect", "--json", "web"])).stdout.toString());
    assert.deepEqual([pod.id, pod.state, pod.containersStatus[0].id], ["web", "running", "web"]);
    const details = (await place.husk(["inspect", "web"])).stdout.toString();
    assert.match(details, /^Name: +web\nStatus: +running\n/);
    assert.match(details, /^web +running +\d+ \w+ ago .* sh -c echo up; cat$/m);
    const missing = await place.husk(["inspect", "--json", "none"]);
    assert.equal(missing.status, 125);
    assert.equal(JSON.parse(missing.stderr).error.code, "ERR_POD_NOT_FOUND");
    foreground.child.stdin.end();
    await foreground.ended;
  });
});
