import assert from "node:assert/strict";
import { test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import { freezeVm, thawVm } from "./freeze.ts";

const options = { timeoutMs: 60_000 };

test("a VM is frozen and thawed, and its own word for it is asked for", async (t) => {
  const heard: string[] = [];
  let status = "running";
  const path = await serveQmp(t, (execute, id) => {
    heard.push(execute);
    if (execute === "stop") status = "paused";
    if (execute === "cont") status = "running";
    const value = execute === "query-status" ? { status, running: status === "running" } : {};
    return JSON.stringify({ return: value, id });
  });
  await freezeVm(path, options);
  await thawVm(path, options);
  assert.deepEqual(heard, ["stop", "query-status", "cont", "query-status"]);
});

test("a VM that accepts the command but does not follow it is told", async (t) => {
  const path = await serveQmp(t, (execute, id) =>
    JSON.stringify({ return: execute === "query-status" ? { status: "io-error", running: false } : {}, id }),
  );
  await assert.rejects(thawVm(path, options), { code: "ERR_QMP", message: /io-error/ });
  await assert.rejects(freezeVm(path, options), { code: "ERR_QMP", message: /did not become paused/ });
});
