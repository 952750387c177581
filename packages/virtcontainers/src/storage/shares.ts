import { closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs";
import { HuskError, messageOf } from "../errors/index.ts";
import { deadlineFactor, deadlineMs } from "../hypervisor/deadlines.ts";
import { openLockFile, waitForHolders } from "../store/flock.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord, ShareRecord } from "../store/pod-record.ts";
import { isProcessAlive, killProcess, type ProcessIdentity } from "../store/process-identity.ts";
import type { PodConfig } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { type BindOptions, inShareNamespace, shareLost } from "./share-namespace.ts";
import { type RunningDaemon, startVirtiofsd } from "./virtiofsd.ts";

/** Mount tag of a pod's own share, in which are the root directories and bind mounts of all its containers. */
export const POD_SHARE_TAG = "huskShared";

/** What the hypervisor's process needs for the shares of its VM. */
export interface ServedShares {
  /** descriptors to inherit, in the order of the shares; undefined: opened by `wrap` */
  readonly fds: readonly (number | undefined)[];
  /** puts the hypervisor's own command into a namespace of its own, to be started in the pod's directory */
  readonly wrap?: typeof inShareNamespace | undefined;
  /** Waits until all daemons' shares can be bound into; throws as `waitForNamespace`. */
  ready(options: BindOptions): Promise<void>;
  /** Closes our own descriptors. */
  close(): void;
}

/** The shares of a pod: its own, first, when it is needed or `sharedFS` asks for it, and one for each volume. */
export function sharesOf(config: PodConfig, isNeeded: boolean): ShareRecord[] {
  const { sharedFS } = config.hypervisorConfig ?? {};
  const kind = sharedFS ?? "virtiofs";
  const volumes = (config.volumes ?? []).map(({ mountTag: tag, hostPath }) => ({ tag, kind, hostPath }));
  return isNeeded || sharedFS ? [{ tag: POD_SHARE_TAG, kind }, ...volumes] : volumes;
}

/** The pod's own share, if it has one. */
export function findPodShare({ shares }: Pick<PodRecord, "shares">): ShareRecord | undefined {
  return shares.find(({ tag }) => tag === POD_SHARE_TAG);
}

/**
 * The process in whose namespace the pod's own share is.
 * @throws HuskError ERR_SHARE_LOST when it has ended
 */
export function serverOf(share: ShareRecord, { vm }: Pick<PodRecord, "vm">): ProcessIdentity {
  const server = share.kind === "9p" ? vm : share.daemon;
  if (server && isProcessAlive(server)) return server;
  throw shareLost();
}

/** Whether all daemons still serve their shares. */
export function hasAllShares({ shares }: Pick<PodRecord, "shares">): boolean {
  return shares.every(({ daemon }) => daemon === undefined || isProcessAlive(daemon));
}

/**
 * Starts what serves the shares of a VM that is about to start, and notes it in the record. A failure leaves nothing.
 * @throws HuskError ERR_VIRTIOFSD, ERR_MOUNT_SOURCE_MISSING
 */
export async function serveShares(record: PodRecord, directory: PodDirectory): Promise<ServedShares> {
  await using undo = new UndoStack();
  const closers: (() => void)[] = [];
  const close = () => {
    for (const closer of closers.splice(0)) closer();
  };
  undo.push(() => endShares(record, directory));
  undo.push(close);
  if (findPodShare(record)) mkdirSync(directory.file("share"), { mode: 0o755 });
  // All are opened before the first is served: when one is missing, nothing has been started.
  const volumes = record.shares.map(({ tag, hostPath }) => {
    const volume = hostPath === undefined ? undefined : openVolume(tag, hostPath);
    if (volume !== undefined) closers.push(() => closeSync(volume));
    return volume;
  });
  const fds: (number | undefined)[] = [];
  const daemons: RunningDaemon[] = [];
  for (const [at, share] of record.shares.entries()) {
    const volume = volumes[at];
    if (share.kind === "9p") {
      fds.push(volume);
      continue;
    }
    closeSync(openLockFile(directory.file("shareLock")));
    const daemon = await startVirtiofsd(directory, record.uuid, volume);
    share.daemon = daemon.identity;
    daemons.push(daemon);
    closers.push(daemon.close);
    fds.push(daemon.fd);
  }
  undo.commit();
  const wrap = findPodShare(record)?.kind === "9p" ? inShareNamespace : undefined;
  const ready = async (options: BindOptions) => {
    for (const daemon of daemons) await daemon.ready(options);
  };
  return { fds, wrap, ready, close };
}

function openVolume(tag: string, path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const text = `the volume "${tag}" is not a directory that can be opened: ${messageOf(error)}`;
    throw new HuskError("ERR_MOUNT_SOURCE_MISSING", text, { cause: error });
  }
}

/**
 * Ends what serves the shares of a VM that has ended: daemons end with it, and are killed when they do not.
 * @throws HuskError ERR_TIMEOUT when one cannot even be killed
 */
export async function endShares(record: PodRecord, directory: PodDirectory): Promise<void> {
  const daemons = record.shares.flatMap(({ daemon }) => daemon ?? []);
  for (const daemon of daemons) killProcess(daemon);
  if (daemons.length > 0) {
    const timeoutMs = deadlineMs("exit", deadlineFactor(record.vm?.accelerator ?? "tcg"));
    const what = "the killed daemons of the pod's shares to end";
    await waitForHolders(directory.file("shareLock"), { timeoutMs, what });
  }
  record.shares = [];
  // Nothing was ever mounted here in our own namespace: these are mount points.
  rmSync(directory.file("share"), { recursive: true, force: true });
}
