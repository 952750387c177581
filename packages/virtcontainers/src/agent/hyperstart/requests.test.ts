import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cmd } from "../../types/index.ts";
import { processRequest } from "./requests.ts";

const SEQS = { stdio: 7, stderr: 8 };

test("every field of a command that the agent knows reaches it", () => {
  const cmd: Cmd = {
    args: ["sh", "-c", "id"],
    envs: [{ var: "A", value: "b=c" }],
    workDir: "/srv",
    user: "nobody",
    primaryGroup: "100",
    supplementaryGroups: ["audio", "7"],
    interactive: true,
    noNewPrivileges: true,
  };
  const { id, stdio, stderr, ...request } = processRequest("init", cmd, SEQS);
  assert.deepEqual([id, stdio, stderr], ["init", 7, 8]);
  assert.deepEqual(request, {
    args: ["sh", "-c", "id"],
    envs: [{ env: "A", value: "b=c" }],
    workdir: "/srv",
    user: "nobody",
    group: "100",
    additionalGroups: ["audio", "7"],
    terminal: true,
    noNewPrivileges: true,
  });
});

test("what a command leaves open is the agent's to decide", () => {
  const request = processRequest("init", { args: ["true"] }, SEQS);
  assert.equal(request.workdir, "/");
  assert.equal(request.terminal, false);
  assert.ok(!("user" in request) && !("group" in request));
});
