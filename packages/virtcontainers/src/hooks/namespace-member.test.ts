import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { identifyProcess } from "../store/process-identity.ts";
import { joinNetworkNamespace } from "./namespace-member.ts";

const needsRoot = process.getuid?.() === 0 ? {} : { skip: "SKIPPED: needs root" };

test("this process is a member of its own namespace", async () => {
  await using member = await joinNetworkNamespace("/proc/self/ns/net");
  assert.equal(member.pid, process.pid);
});

test("a member lives in another namespace until it is let go", needsRoot, async (t) => {
  const other = spawn("unshare", ["--net", "cat"], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => other.kill("SIGKILL"));
  other.stdin.write("\n");
  await once(other.stdout, "data");
  const path = `/proc/${other.pid}/ns/net`;
  const member = await joinNetworkNamespace(path);
  assert.notEqual(member.pid, other.pid);
  assert.equal(readlinkSync(`/proc/${member.pid}/ns/net`), readlinkSync(path));
  assert.notEqual(readlinkSync(path), readlinkSync("/proc/self/ns/net"));
  await member[Symbol.asyncDispose]();
  assert.equal(identifyProcess(member.pid), undefined);
});

test("a namespace that is not there is told", async () => {
  await assert.rejects(joinNetworkNamespace("/proc/self/ns/none"), { code: "ERR_HOOK_FAILED" });
  await assert.rejects(joinNetworkNamespace("/proc/self/ns/uts"), { code: "ERR_HOOK_FAILED" });
});
