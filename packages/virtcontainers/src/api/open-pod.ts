import { checkId } from "../config/ids.ts";
import { HuskError, systemCode } from "../errors/index.ts";
import { createHypervisor } from "../hypervisor/index.ts";
import type { Hypervisor } from "../hypervisor/types.ts";
import { type FileLock, lockFile } from "../store/flock.ts";
import { PodDirectory, podPath } from "../store/pod-directory.ts";
import { type ContainerRecord, type PodRecord, readRecord, writeRecord } from "../store/pod-record.ts";
import { identifyProcess, isProcessAlive, type ProcessIdentity } from "../store/process-identity.ts";
import type { ContainerConfig, State } from "../types/index.ts";
import type { UndoStack } from "../undo-stack.ts";
import type { Call } from "./call.ts";
import { type LivePod, livePod } from "./live-pod.ts";
import { markStopped } from "./mark-stopped.ts";
import { observeRunState } from "./run-state.ts";
import { noteShimExits } from "./shim-exits.ts";

/** Longest wait for a call that another process makes on the same pod, in milliseconds. */
const LOCK_WAIT_MS = 300_000;

/** A pod while its lock is held. */
export class OpenPod {
  readonly call: Call;
  readonly id: string;
  readonly directory: PodDirectory;
  readonly record: PodRecord;
  readonly live: LivePod;
  readonly hypervisor: Hypervisor;
  #isOutcomeUnknown = false;

  constructor(
    call: Call,
    directory: PodDirectory,
    record: PodRecord,
    options: { hypervisor?: Hypervisor; keep: boolean },
  ) {
    this.call = call;
    this.id = record.config.id;
    this.directory = directory;
    this.record = record;
    this.live = livePod(call.root, this.id, record.uuid, options.keep);
    for (const containerId of Object.keys(record.containers)) this.live.containerIds.add(containerId);
    noteShimExits(record, directory, this.live);
    observe(record, this.live);
    this.hypervisor = options.hypervisor ?? hypervisorOf(record, this.live);
    this.live.hypervisor = this.hypervisor;
  }

  get state(): State {
    // A pod that is being created is seen by nobody but its creator, for whom it is as good as ready.
    return this.record.state === "creating" ? "ready" : this.record.state;
  }

  /** Stores the record as it is now once more when the call is undone. */
  keepForUndo(undo: UndoStack): void {
    const before = structuredClone(this.record);
    undo.push(() => {
      for (const key of Object.keys(this.record)) delete this.record[key as keyof PodRecord];
      Object.assign(this.record, before);
      if (this.#isOutcomeUnknown) this.record.pending = {};
      this.save();
    });
  }

  /** Whether this process has a session with the pod's agent. */
  get hasSession(): boolean {
    return this.live.session?.closed === false;
  }

  get containers(): ContainerConfig[] {
    return this.record.config.containers ?? [];
  }

  /** @throws HuskError ERR_CONTAINER_NOT_FOUND */
  container(containerId: string): { config: ContainerConfig; record: ContainerRecord } {
    const config = this.containers.find(({ id }) => id === containerId);
    const record = this.record.containers[containerId];
    if (config && record) return { config, record };
    const text = `pod "${this.id}" has no container "${containerId}"`;
    throw new HuskError("ERR_CONTAINER_NOT_FOUND", text, { podId: this.id, containerId });
  }

  /** Stores that a change of what runs begins, so that others find out what came of it when this process dies. */
  announceChange(): void {
    this.record.pending = { by: identifyProcess(process.pid) as ProcessIdentity };
    writeRecord(this.directory.file("record"), this.record);
    this.call.mark("announced");
  }

  /** What this call has begun could neither be done nor undone: the next call is to find out what came of it. */
  leaveUnsettled(): void {
    this.#isOutcomeUnknown = true;
  }

  /** Stores the record, and with it the outcome of a change; the lock is held exclusively. */
  save(): void {
    if (this.record.pending?.by?.pid === process.pid) delete this.record.pending;
    writeRecord(this.directory.file("record"), this.record);
    this.call.mark("saved");
  }
}

/** The hypervisor that started the VM knows more than one made anew; but only of that very VM. */
function hypervisorOf({ config, vm }: PodRecord, live: LivePod): Hypervisor {
  const known = live.hypervisor;
  if (known && known.vm?.pid === vm?.pid && known.vm?.startTime === vm?.startTime) return known;
  return createHypervisor(config.hypervisorType ?? "qemu", config.hypervisorConfig ?? {}, vm);
}

/** Brings a record up to what can be seen now: VMs that are gone, containers that have ended. */
function observe(record: PodRecord, live: LivePod): void {
  const isGone = record.vm !== undefined && !isProcessAlive(record.vm);
  if (isGone) {
    delete record.vm;
    if (record.state !== "creating") record.state = "stopped";
  }
  for (const [containerId, container] of Object.entries(record.containers)) {
    if (container.startTime !== undefined) live.dropStaleExit(containerId, container.startTime);
    if (container.state !== "running" && container.state !== "paused") {
      if (isGone) container.state = "stopped";
    } else if (live.exits.has(containerId) && !isShimsToTell(container)) {
      markStopped(container, live.exits.get(containerId));
    } else if (isGone) {
      markStopped(container, undefined);
    }
  }
}

/**
 * Whether the end of a container is a shim's to tell. What the agent tells is not all: the shim may still pass on output, or
 * be started again for that.
 */
function isShimsToTell({ ownShim }: ContainerRecord): boolean {
  return ownShim !== undefined && (ownShim.logs === true || isProcessAlive(ownShim));
}

/**
 * A pod as it is stored now, to look at only. Records are replaced as a whole, so that no lock is needed to read one.
 * @throws HuskError ERR_ID_INVALID, ERR_POD_NOT_FOUND, ERR_STATE_CORRUPT, ERR_STATE_VERSION
 */
export function lookAtPod(podId: string, call: Call): OpenPod {
  checkId("pod", podId);
  return openPod(podId, call, false);
}

/**
 * Does something with a pod while holding its lock: exclusive to change it, shared to keep others from changing it.
 * @throws HuskError ERR_ID_INVALID, ERR_POD_NOT_FOUND, ERR_STATE_CORRUPT, ERR_STATE_VERSION, ERR_TIMEOUT, ERR_ABORTED
 */
export async function withPod<T>(
  podId: string,
  call: Call,
  mode: "shared" | "exclusive",
  action: (pod: OpenPod) => Promise<T>,
): Promise<T> {
  checkId("pod", podId);
  using _ = await lockPod(podId, call, mode);
  call.mark("locked");
  const pod = openPod(podId, call, true);
  if (pod.state === "paused") await observeRunState(pod);
  // Awaited, so that the lock is held until the action is done.
  return await action(pod);
}

function openPod(podId: string, call: Call, keep: boolean): OpenPod {
  const path = podPath(call.root, podId);
  const record = readRecord(new PodDirectory(path).file("record"), podId);
  if (record.state === "creating") throw podNotFound(podId);
  return new OpenPod(call, new PodDirectory(path, record.socketDirectory), record, { keep });
}

async function lockPod(podId: string, call: Call, mode: "shared" | "exclusive"): Promise<FileLock> {
  const path = new PodDirectory(podPath(call.root, podId)).file("lock");
  const { signal } = call;
  try {
    const lock = await lockFile(path, { mode, timeoutMs: LOCK_WAIT_MS, signal });
    if (lock) return lock;
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw podNotFound(podId);
    throw error;
  }
  throw new HuskError("ERR_TIMEOUT", `another process has been busy with pod "${podId}" for too long`, {
    podId,
  });
}

function podNotFound(podId: string): HuskError {
  return new HuskError("ERR_POD_NOT_FOUND", `there is no pod "${podId}"`, { podId });
}
