import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { HuskError, isHuskError } from "@husk/virtcontainers";
import { cleanText, type FileLock, runGroupProcess } from "@husk/virtcontainers/internals";
import type { ShimPlan } from "@husk/wire/module-shim";
import { namespaceCgroup } from "../backend/cgroup.ts";
import { openBackend } from "../backend/open-backend.ts";
import { isMounted } from "../rootfs/overlay.ts";
import { endByShim, type ShimEnd } from "../shim/end-by-shim.ts";
import { readPlan } from "../shim/plan.ts";
import { lastRuntimeError } from "../shim/runtime-log.ts";
import { unpinRoot } from "../sources/root-pins.ts";
import { readNames } from "../state/claim.ts";
import { markDeleting, markStuck } from "../state/deleting.ts";
import { discardDirectory, removeEmpty, removeEmptyTree } from "../state/discard.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { makeDirectories } from "../state/make-directories.ts";
import { readRecord } from "../state/record.ts";
import type { ModuleContext } from "./context.ts";
import { removeLog } from "./remove-log.ts";

const CGROUPS = "/sys/fs/cgroup";

/** How long an end may take. */
export interface TearDownOptions {
  /** milliseconds between SIGTERM and SIGKILL */
  readonly graceMs: number;
  /** remove the log as well */
  readonly removeLog?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ends a container, whatever it is in the middle of, and removes all that it has, the last first; its log only when that is wanted.
 * What is not there is no error, so that it can be done again. The caller holds its lock.
 * @throws HuskError ERR_CONTAINER_STUCK, ERR_RUNTIME, ERR_STATE_CORRUPT, ERR_STATE_VERSION, ERR_STORE, ERR_ABORTED
 */
export async function tearDown(
  { shim, directories, warn }: ModuleContext,
  places: ContainerPlaces,
  options: TearDownOptions,
): Promise<void> {
  const record = readRecord(places.record);
  const plan = readPlan(places);
  markDeleting(places);
  // Without a plan, there never was a shim.
  using _ = plan && (await endContainer(places, plan, { ...options, program: shim }));
  if (record) {
    await openBackend(record.backend).release(places);
    if (record.command) unpinRoot(record.command.root, places.directory);
  }
  // A tree that something is mounted in is never removed.
  if (isMounted(places.rootfs)) throw new HuskError("ERR_STORE", `${places.rootfs} is still mounted`);
  rmSync(places.run, { recursive: true, force: true });
  // As long as the name is taken: the next one's log has the same path.
  if (options.removeLog) removeLog(places);
  // Before it has gone, so that whoever is killed leaves its name, and the next one goes on; and afterwards, for of two that go at
  // the same time each is there for the other.
  if (isAlone(places)) removeNamespace(places);
  const { wasLast, problem } = await discardDirectory(directories.stateRoot, places);
  if (wasLast) removeNamespace(places);
  if (problem !== undefined) warn(new HuskError("ERR_STORE", `it is deleted, but ${problem}`), places);
}

/** Ends all that runs of it. @returns the lock without which no shim can begin */
async function endContainer(
  places: ContainerPlaces,
  plan: ShimPlan,
  end: Omit<ShimEnd, "commandTimeoutMs">,
): Promise<FileLock> {
  makeDirectories(places);
  let lock: FileLock;
  try {
    lock = await endByShim(places, { ...end, commandTimeoutMs: plan.commandTimeoutMs });
  } catch (error) {
    if (isHuskError(error, "ERR_CONTAINER_STUCK")) markStuck(places);
    throw error;
  }
  try {
    await removeFromRuntime(places, plan);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Nothing runs any more, or its shim is no more: what the runtime still has of it goes. */
async function removeFromRuntime({ ns, name }: ContainerPlaces, plan: ShimPlan): Promise<void> {
  const [program = "", ...args] = plan.delete;
  const env = Object.fromEntries(plan.environment.map(splitVariable));
  const limitMs = plan.commandTimeoutMs;
  const { problem, stderr } = await runGroupProcess({ program, args, env, input: "", limitMs });
  if (problem === undefined) return;
  const words = lastRuntimeError(plan.runtimeLog) ?? cleanText(stderr).trim();
  const text = `the container "${name}" in "${ns}" cannot be removed: ${program} ${problem}: ${words}`;
  throw new HuskError("ERR_RUNTIME", text, { containerId: name });
}

function splitVariable(variable: string): [name: string, value: string] {
  const end = variable.indexOf("=");
  return [variable.slice(0, end), variable.slice(end + 1)];
}

/** Whether its namespace has no other container. */
function isAlone({ directory }: ContainerPlaces): boolean {
  return readNames(dirname(directory)).length === 1;
}

/** What was there for all containers of a namespace. Another of it may just come into being: what it has stays. */
function removeNamespace({ ns, runtimeRoot }: ContainerPlaces): void {
  removeEmptyTree(runtimeRoot);
  // Of version 1, each controller has a tree of its own.
  for (const tree of ["", ...readNames(CGROUPS)]) {
    const cgroup = join(CGROUPS, tree, namespaceCgroup(ns));
    if (removeEmpty(cgroup)) removeEmpty(dirname(cgroup));
  }
}
