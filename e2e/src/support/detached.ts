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
  return Number(readFileSync(join(podFolder(place, name), "proxy.lock"), "utf8"));
}

/** The folder of a pod. */
export function podFolder(place: Workplace, name: string): string {
  return join(place.root, "pods", name);
}

/** Waits until a file or folder is there, or is not. */
export async function untilExists(path: string, wanted: boolean, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => existsSync(path) === wanted && resolve();
  const watcher = watch(dirname(path), check);
  const onAbort = () => reject(new Error(`${path}: ${wanted ? "is not there" : "is still there"}`));
  signal.addEventListener("abort", onAbort, { once: true });
  check();
  try {
    await promise;
  } finally {
    watcher.close();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Waits until the VM of a pod has been ended by what its shim starts at the end. */
export async function untilStopped(place: Workplace, name: string): Promise<void> {
  const folder = podFolder(place, name);
  await watchFile(folder, "pod.json", (record) => JSON.parse(record).state === "stopped");
}

/** Waits until another proxy has taken the place of one that was killed. */
export async function untilProxyIsBack(place: Workplace, name: string, dead: number): Promise<void> {
  await watchFile(podFolder(place, name), "proxy.lock", (pid) => pid !== "" && Number(pid) !== dead);
}

/** Waits until the last of some processes, which nobody here has started, has ended: nothing tells that of others' children. */
export async function untilNoProcesses(place: Workplace): Promise<void> {
  while (findProcesses(place.root).length > 0) await delay(50);
}

/** The same for what shims start at the end of their commands. */
export async function untilNoExitCommands(place: Workplace): Promise<void> {
  const isOne = ({ command }: { command: string }) => command.includes("--if-ended");
  while (findProcesses(place.root).some(isOne)) await delay(50);
}

async function watchFile(
  folder: string,
  name: string,
  isReached: (content: string) => boolean,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = () => isReached(readFileSync(join(folder, name), "utf8")) && resolve();
  const watcher = watch(folder, check);
  check();
  await promise;
  watcher.close();
}
