import assert from "node:assert/strict";
import { existsSync, readFileSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findProcesses } from "./leaks.ts";
import type { Workplace } from "./workplace.ts";

/** The agents that a pod can have. */
export const AGENTS = ["hyperstart", "kata"] as const;
export type Agent = (typeof AGENTS)[number];

/** Starts a detached shell script. `more`: options of husk run. */
export async function startDetached(
  place: Workplace,
  name: string,
  agent: Agent,
  script: string,
  more: readonly string[] = [],
): Promise<void> {
  const args = ["run", "-d", "--name", name, "--agent", agent, ...more, "--", "sh", "-c", script];
  const { status, stdout, stderr } = await place.husk(args);
  assert.deepEqual([status, stdout.toString(), stderr], [0, `${name}\n`, ""]);
}

/** Runs a husk that must succeed, and gives its output. */
export async function output(place: Workplace, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await place.husk(args);
  assert.equal(status, 0, stderr);
  return stdout.toString();
}

/** Removes a pod whose command has ended, when its VM has been ended, and nothing is left to run. */
export async function removeEnded(place: Workplace, name: string): Promise<void> {
  await untilStopped(place, name);
  await output(place, "rm", name);
  await untilNoProcesses(place);
}

/** How one pod is. */
export async function inspect(place: Workplace, name: string) {
  return JSON.parse(await output(place, "inspect", "--json", name));
}

/** Process id of the shim of a pod's only container. */
export async function shimPid(place: Workplace, name: string): Promise<number> {
  const { containersStatus } = await inspect(place, name);
  const { pid } = containersStatus[0];
  assert.ok(pid > 0, `the shim of ${name} has no process id: ${JSON.stringify(containersStatus[0])}`);
  return pid;
}

/** Process id of the proxy of a pod. */
export function proxyPid(place: Workplace, name: string): number {
  const pid = Number(readFileSync(join(podFolder(place, name), "proxy.lock"), "utf8"));
  assert.ok(pid > 0, `the proxy of ${name} has not told its process id`);
  return pid;
}

/** The folder of a pod. */
export function podFolder(place: Workplace, name: string): string {
  return join(place.root, "pods", name);
}

/** Waits until a detached command has written something. */
export async function untilWritten(place: Workplace, name: string, wanted: RegExp): Promise<void> {
  const follower = place.start(["logs", "-f", name]);
  await follower.stdout.waitFor(wanted);
  follower.child.kill();
  await follower.ended;
}

/** Waits until a file or folder is there no more. */
export async function untilGone(place: Workplace, path: string): Promise<void> {
  await watchFolder(place, dirname(path), () => !existsSync(path), `${path} is still there`);
}

/** Waits until the VM of a pod has been ended by what its shim starts at the end. */
export async function untilStopped(place: Workplace, name: string): Promise<void> {
  await watchFile(place, name, "pod.json", (record) => JSON.parse(record).state === "stopped");
}

/** Waits until another proxy has taken the place of one that was killed. */
export async function untilProxyIsBack(place: Workplace, name: string, dead: number): Promise<void> {
  await watchFile(place, name, "proxy.lock", (pid) => pid !== "" && Number(pid) !== dead);
}

/** Waits until the last of some processes, which nobody here has started, has ended: nothing tells that of others' children. */
export async function untilNoProcesses(place: Workplace): Promise<void> {
  await untilNone(place, () => true);
}

/** The same for what shims start at the end of their commands. */
export async function untilNoExitCommands(place: Workplace): Promise<void> {
  await untilNone(place, ({ command }) => command.includes("--if-ended"));
}

async function untilNone(place: Workplace, isOne: (process: { command: string }) => boolean): Promise<void> {
  for (;;) {
    const left = findProcesses(place.root).filter(isOne);
    if (left.length === 0) return;
    if (place.signal?.aborted) throw new Error(`still there: ${JSON.stringify(left)}`);
    await delay(50);
  }
}

/** Waits until a file of a pod, which is there, tells what is waited for. */
async function watchFile(
  place: Workplace,
  podId: string,
  file: string,
  isReached: (content: string) => boolean,
): Promise<void> {
  const folder = podFolder(place, podId);
  const read = () => readFileSync(join(folder, file), "utf8");
  await watchFolder(place, folder, () => isReached(read()), `${file} of ${podId} tells otherwise`);
}

/** @param otherwise why it fails when the test's time is up */
async function watchFolder(
  { signal }: Workplace,
  folder: string,
  isReached: () => boolean,
  otherwise: string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => {
    try {
      if (isReached()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const watcher = watch(folder, check);
  const onAbort = () => reject(new Error(otherwise));
  signal?.addEventListener("abort", onAbort, { once: true });
  check();
  try {
    await promise;
  } finally {
    watcher.close();
    signal?.removeEventListener("abort", onAbort);
  }
}
