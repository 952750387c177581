import type { ShimState } from "@husk/wire/module-shim";
import { openBackend } from "../backend/open-backend.ts";
import { readPlan } from "../shim/plan.ts";
import { startShim } from "../shim/start-shim.ts";
import { startTimeoutMs } from "../shim/timeouts.ts";
import { readDeleting } from "../state/deleting.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { lockContainer } from "../state/lock-container.ts";
import { makeDirectories, makeLog } from "../state/make-directories.ts";
import { type CompleteRecord, type ContainerRecord, readRecord } from "../state/record.ts";
import { isShimAlive, needsShim, readShimState } from "../state/shim-state.ts";
import type { ModuleCallOptions } from "../types.ts";
import type { ModuleContext } from "./context.ts";
import { tearDown } from "./tear-down.ts";

/** Milliseconds between SIGTERM and SIGKILL for what a dead process wanted to be deleted. */
const GRACE_MS = 3_000;

/** What there is to do about a container that nobody is working at: `clear`: nobody was told that there is one. */
type Want = "nothing" | "shim" | "end" | "clear";

/**
 * Puts right what the death of a module, a shim or the machine has left of a container: a shim is started where one
 * should be, and what was half made or half deleted is removed. When somebody is working at it, nothing is done.
 * @throws HuskError of `tearDown` and `startShim`
 */
export async function settleContainer(
  context: ModuleContext,
  places: ContainerPlaces,
  options: ModuleCallOptions = {},
): Promise<void> {
  if (lookAt(places) === "nothing") return;
  const lock = await lockContainer(places, { timeoutMs: 0 });
  if (lock === "busy" || lock === "gone") return;
  using _ = lock;
  // Whoever had it may have seen to it.
  const want = lookAt(places);
  if (want === "end") await tearDown(context, places, { ...options, graceMs: GRACE_MS });
  else if (want === "clear") await tearDown(context, places, { ...options, graceMs: 0 });
  else if (want === "shim") await replaceShim(context, places, options);
}

/**
 * Starts a shim for a container whose shim is dead, and what else the container needs. The caller holds its lock.
 * @throws HuskError ERR_SHIM_START, ERR_RUNTIME, ERR_STORE, ERR_ABORTED
 */
async function replaceShim(
  { shim }: ModuleContext,
  places: ContainerPlaces,
  options: ModuleCallOptions,
): Promise<void> {
  const record = readRecord(places.record);
  const plan = readPlan(places);
  if (!record || !isComplete(record) || !plan) return;
  makeDirectories(places);
  makeLog(places);
  await openBackend(record.backend).prepare(places, record, options);
  const timeoutMs = startTimeoutMs(plan.commandTimeoutMs);
  await startShim(places, { program: shim, timeoutMs, signal: options.signal });
}

function lookAt(places: ContainerPlaces): Want {
  const deleting = readDeleting(places);
  if (deleting !== "no") return deleting === "stuck" ? "nothing" : "end";
  const state = readShimState(places);
  if (!state) return "clear";
  if (isShimAlive(places, state)) return "nothing";
  // What has never run is not worth keeping: nobody was told that it does.
  if (!hasRun(state)) return "clear";
  return needsShim(state) ? "shim" : "nothing";
}

function hasRun({ startedAt }: ShimState): boolean {
  return startedAt !== undefined;
}

function isComplete(record: ContainerRecord): record is CompleteRecord {
  return record.command !== undefined;
}
