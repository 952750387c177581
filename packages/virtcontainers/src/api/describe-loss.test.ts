import assert from "node:assert/strict";
import { test } from "node:test";
import { FileLock, lockDescriptor, openLockFile } from "../store/flock.ts";
import { PodDirectory } from "../store/pod-directory.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { LivePod } from "./live-pod.ts";
import type { OpenPod } from "./open-pod.ts";
import { describeLoss } from "./session.ts";

/** Least milliseconds that a VM has to end which has closed its channels. */
const LEAST_MS = 400;

test("a VM that has closed its channels is told as ended when it has, and what led to it when it has not", async (t) => {
  const { base } = makeTempRoot(t);
  const directory = new PodDirectory(base);
  const pod = { id: "pod", directory, live: new LivePod("uuid"), hypervisor: {} } as OpenPod;
  // The VM holds it as long as it lives.
  using lock = new FileLock(openLockFile(directory.file("vmLock")));
  await lockDescriptor(lock.fd, { mode: "exclusive" });
  const began = performance.now();
  const lost = await describeLoss(pod, undefined);
  assert.equal(lost.code, "ERR_VM_LOST");
  assert.ok(performance.now() - began >= LEAST_MS);
  assert.equal((await describeLoss(pod, "proxy")).code, "ERR_AGENT_DISCONNECTED");
  lock.release();
  assert.equal((await describeLoss(pod, "proxy")).code, "ERR_VM_LOST");
});
