import { isHuskError } from "../errors/index.ts";
import { findShimOf } from "../shim/end-shims.ts";
import { markStopped } from "./mark-stopped.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { noteShimExits, orphansOf } from "./shim-exits.ts";
import { noteShim, startShimAgain } from "./shim-of-container.ts";

const SIGKILL = 9;
/** Exit status of a process ended by SIGKILL. */
const KILLED = 128 + SIGKILL;
/** Options by which shims are told their tokens. */
const TOKEN_OPTIONS = ["-t", "-exec-id"];

/**
 * Sees to containers whose shims have died: one that writes a log is started again; with another, the caller's descriptors are
 * gone, and its process ends as if it had been the shim itself. What cannot be done now, the next call tries again.
 */
export async function repairShims(pod: OpenPod): Promise<void> {
  if (!pod.hypervisor.vm) return;
  for (const containerId of orphansOf(pod.record)) {
    try {
      await repairShim(pod, containerId);
      pod.save();
    } catch (error) {
      if (!isHuskError(error) || error.code === "ERR_ABORTED") throw error;
      pod.call.warn(error);
    }
  }
}

async function repairShim(pod: OpenPod, containerId: string): Promise<void> {
  const { record, live, directory } = pod;
  const { record: container } = pod.container(containerId);
  // It may have told, and died, since we looked.
  noteShimExits(record, directory, live);
  if (container.state === "stopped") return;
  if (container.ownShim?.logs) {
    if (!adoptShim(pod, containerId)) await startShimAgain(pod, containerId);
  } else if (pod.state !== "paused") await endOrphan(pod, containerId);
}

/** Ends the first process of a container that nobody stands for. */
export async function endOrphan(pod: OpenPod, containerId: string): Promise<void> {
  const { live, call } = pod;
  const session = await needSession(pod);
  await session.killContainer(containerId, SIGKILL, { signal: call.signal });
  if (!live.exits.has(containerId)) live.noteExit(containerId, KILLED);
  markStopped(pod.container(containerId).record, live.exits.get(containerId));
}

/** The same for a container that was started by a caller that died before it could note the shim. */
export async function settleShim(pod: OpenPod, containerId: string): Promise<void> {
  if (!adoptShim(pod, containerId)) await endOrphan(pod, containerId);
}

/** Notes a shim that lives and was not noted. @returns whether there is one */
function adoptShim(pod: OpenPod, containerId: string): boolean {
  const { directory, record } = pod;
  const found = findShimOf(directory, record.uuid, directory.containerFile(containerId, "exit"));
  if (!found) return false;
  const { identity, args } = found;
  const at = args.findIndex((word) => TOKEN_OPTIONS.includes(word));
  noteShim(pod, containerId, identity, { token: args[at + 1] ?? "", logs: args.includes("-log-file") });
  return true;
}
