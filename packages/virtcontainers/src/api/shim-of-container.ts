import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { GuestProcess } from "../agent/guest-process.ts";
import { isShimProgram } from "../config/resident-programs.ts";
import { isHuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { waitForShim } from "../shim/tell-shim.ts";
import { killProcess, type ProcessIdentity } from "../store/process-identity.ts";
import type { UndoStack } from "../undo-stack.ts";
import { changePod } from "./change-pod.ts";
import type { OpenPod } from "./open-pod.ts";
import { carrierFor, type ProcessCarrier } from "./shim-carrier.ts";
import { clearRun } from "./shim-files.ts";

/** Who carries the streams of a container's first process that is about to be started. */
export function carrierOfFirst(
  pod: OpenPod,
  containerId: string,
  io: GuestProcess,
  undo: UndoStack,
  { ownSession = false } = {},
): ProcessCarrier {
  const { cmd } = pod.container(containerId).config;
  const process = { containerId, cmd, isFirst: true, attached: io.attached, ownSession };
  return carrierFor(pod, process, io, {
    beforeStart: async () => {
      await endShim(pod, containerId);
      clearRun(pod.directory, containerId);
    },
    onStart: (shim, token) => {
      noteShim(pod, containerId, shim.identity, { token, logs: shim.logs });
      // Before the container is ended, so that nothing is done for an end that is none.
      undo.push(() => endShim(pod, containerId, shim.identity));
      pod.call.mark("shim-started");
    },
    onEnd: (shim, end) => takeEnd(pod, containerId, shim.identity, end),
  });
}

/**
 * Starts a shim for a container that has lost its own, and whose output is logged: it goes on where that one was.
 * @throws HuskError ERR_SHIM_START, ERR_STORE
 */
export async function startShimAgain(pod: OpenPod, containerId: string): Promise<void> {
  const { config, record } = pod.container(containerId);
  if (!record.ownShim) return;
  const { cmd } = config;
  const io = new GuestProcess({ terminal: cmd.interactive === true, attached: false });
  const process = { containerId, cmd, isFirst: true, attached: false };
  const { startShim, begin } = carrierFor(pod, process, io, {
    beforeStart: async () => {},
    onStart: (shim, token) => noteShim(pod, containerId, shim.identity, { token, logs: true }),
    onEnd: (shim, end) => takeEnd(pod, containerId, shim.identity, end),
  });
  await startShim?.(record.ownShim.token);
  await begin();
  pod.call.mark("shim-started-again");
}

/** Notes the shim of a container that runs, or is about to. */
export function noteShim(
  pod: OpenPod,
  containerId: string,
  identity: ProcessIdentity,
  { token, logs }: { token: string; logs: boolean },
): void {
  pod.container(containerId).record.ownShim = { ...identity, token, ...(logs ? { logs } : {}) };
  pod.live.shims.set(containerId, identity);
}

/** A shim of ours has ended: stores what it told. What one that was killed has left is settled at once. */
function takeEnd(
  pod: OpenPod,
  containerId: string,
  shim: ProcessIdentity,
  { told, exitCode }: { told: boolean; exitCode: number | undefined },
): void {
  const { live, id, call } = pod;
  if (live.shims.get(containerId) !== shim) return;
  live.shims.delete(containerId);
  if (told) live.noteExit(containerId, exitCode);
  live.store(async (signal) => {
    try {
      await changePod(id, call.again(signal), async (now) => {
        if (now.record.uuid === pod.record.uuid) now.save();
      });
    } catch {
      // The next call finds out by itself what could not be stored.
    }
  });
}

/** Lets go what the shims of a container have left. */
export async function forgetShim(pod: OpenPod, containerId: string): Promise<void> {
  const { record, directory } = pod;
  if (!isShimProgram(record.config)) return;
  await endShim(pod, containerId);
  rmSync(dirname(directory.containerFile(containerId, "exit")), { recursive: true, force: true });
  rmSync(directory.attachSocket(containerId), { force: true });
}

/**
 * Waits for the shim of a container that has ended to pass on what is left, and kills one that does not.
 * @param identity a shim that is to be killed at once
 */
async function endShim(pod: OpenPod, containerId: string, identity?: ProcessIdentity): Promise<void> {
  const { directory, hypervisor, live, record } = pod;
  const path = directory.attachSocket(containerId);
  const timeoutMs = deadlineMs("exit", hypervisor.deadlineFactor);
  const known = identity ?? live.shims.get(containerId) ?? record.containers[containerId]?.ownShim;
  live.shims.delete(containerId);
  if (identity) killProcess(identity);
  try {
    await waitForShim(path, { timeoutMs });
  } catch (error) {
    if (!isHuskError(error, "ERR_TIMEOUT") || !known) throw error;
    killProcess(known);
    await waitForShim(path, { timeoutMs });
  }
}
