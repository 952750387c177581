import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { clearLeftover, clearLeftovers, publishStaging } from "./claim.ts";
import { openLockFile } from "./flock.ts";
import { PodDirectory, podPath } from "./pod-directory.ts";
import { type PodRecord, RECORD_VERSION, writeRecord } from "./pod-record.ts";
import { identifyProcess, isProcessAlive, type ProcessIdentity } from "./process-identity.ts";
import { makeStaging } from "./staging.ts";

const dead: ProcessIdentity = { pid: 1, startTime: "1" };

function creating(creator: ProcessIdentity, uuid: string = randomUUID()): PodRecord {
  const createdAt = new Date().toISOString();
  return {
    version: RECORD_VERSION,
    state: "creating",
    createdAt,
    uuid,
    creator,
    config: { id: "p" },
    containers: {},
    drives: [],
    shares: [],
  };
}

function me(): ProcessIdentity {
  const identity = identifyProcess(process.pid);
  assert.ok(identity);
  return identity;
}

function makePod(root: string, record: PodRecord): PodDirectory {
  const directory = new PodDirectory(podPath(root, "p"));
  mkdirSync(directory.path, { recursive: true });
  closeSync(openLockFile(directory.file("lock")));
  writeRecord(directory.file("record"), record);
  return directory;
}

test("a name can be claimed once", async (t) => {
  const { root } = makeTempRoot(t);
  for (const outcome of ["claimed", "ERR_POD_EXISTS"]) {
    const staging = makeStaging(root);
    staging.lock.release();
    writeRecord(staging.directory.file("record"), creating(me()));
    const result = await publishStaging(staging, root, "p").then(
      () => "claimed",
      (error) => error.code,
    );
    assert.equal(result, outcome);
  }
});

test("what a dead creator left is cleared, with the VM it had started", async (t) => {
  const { root } = makeTempRoot(t);
  const record = creating(dead);
  const vm = spawn("sh", ["-c", "echo up; read x", record.uuid], { stdio: ["pipe", "pipe", "ignore"] });
  await once(vm.stdout, "data");
  const identity = identifyProcess(vm.pid ?? 0);
  assert.ok(identity && isProcessAlive(identity));
  const directory = makePod(root, record);
  const exited = once(vm, "exit");
  assert.equal(await clearLeftover(root, "p"), true);
  assert.ok(!isProcessAlive(identity), "it has ended by then");
  assert.ok(!existsSync(directory.path));
  assert.deepEqual(await exited, [null, "SIGKILL"]);
});

test("what a living creator is making, and what is made, is left alone", async (t) => {
  const { root } = makeTempRoot(t);
  const directory = makePod(root, creating(me()));
  assert.equal(await clearLeftover(root, "p"), false);
  writeRecord(directory.file("record"), { ...creating(dead), state: "ready" });
  assert.equal(await clearLeftover(root, "p"), false);
  assert.ok(existsSync(directory.path));
});

test("what dead creators left goes, what living ones make stays", async (t) => {
  const { root, base } = makeTempRoot(t);
  const mine = makeStaging(root);
  mine.lock.release();
  const theirs = makeStaging(root);
  theirs.lock.release();
  const pods = join(root, "pods");
  renameSync(theirs.directory.path, join(pods, ".new-1-1-00000000"));
  writeRecord(join(pods, ".new-1-1-00000000", "pod.json"), creating(dead));
  mkdirSync(join(pods, ".new-1-2-00000000"));
  const [grave, sockets] = [join(pods, ".gone-0123"), join(base, "sockets")];
  mkdirSync(grave);
  mkdirSync(sockets);
  writeRecord(join(grave, "pod.json"), { ...creating(dead), state: "stopped", socketDirectory: sockets });
  makePod(root, creating(dead));
  await clearLeftovers(root);
  assert.deepEqual(readdirSync(pods), [mine.directory.path.slice(pods.length + 1)]);
  assert.ok(!existsSync(sockets));
});

test("what a dead creator left stays when its state cannot be read", async (t) => {
  const { root } = makeTempRoot(t);
  for (const text of ['{"version": 1,', JSON.stringify({ ...creating(dead), version: RECORD_VERSION + 1 })]) {
    const path = join(root, "pods", ".new-1-1-00000000");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "pod.json"), text);
    await clearLeftovers(root);
    assert.equal(readFileSync(join(path, "pod.json"), "utf8"), text);
  }
});
