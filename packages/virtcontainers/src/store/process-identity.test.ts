import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import {
  findPodProcesses,
  identifyProcess,
  isProcessAlive,
  killProcess,
  parseStat,
  waitForEnds,
} from "./process-identity.ts";

test("the fields of a stat are found behind any command name", () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
  fields[0] = "S";
  assert.deepEqual(parseStat(`12 (a) b (c) ${fields.join(" ")}`), { state: "S", startTime: "22" });
  assert.equal(parseStat("nonsense"), undefined);
});

test("a process is told apart from another with its number, and found by an argument", async () => {
  const token = randomUUID();
  const child = spawn("sh", ["-c", "echo up; read x", token], { stdio: ["pipe", "pipe", "ignore"] });
  await once(child.stdout, "data");
  const identity = identifyProcess(child.pid ?? 0);
  assert.ok(identity && isProcessAlive(identity));
  assert.deepEqual(findPodProcesses(token), [identity]);
  const other = { ...identity, startTime: "1" };
  assert.ok(!isProcessAlive(other));
  killProcess(other);
  assert.ok(isProcessAlive(identity));
  killProcess(identity);
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  assert.ok(!isProcessAlive(identity));
  killProcess(identity);
});

test("the ends of others' children are waited for, and not for ever", async () => {
  const parent = spawn("sh", ["-c", "sleep 1000 & echo $!; read x"], { stdio: ["pipe", "pipe", "ignore"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const identity = identifyProcess(Number(line.toString()));
  assert.ok(identity);
  await assert.rejects(waitForEnds([identity], 20), { code: "ERR_TIMEOUT" });
  killProcess(identity);
  await waitForEnds([identity], 60_000);
  assert.ok(!isProcessAlive(identity));
  parent.stdin.end();
  await once(parent, "exit");
});
