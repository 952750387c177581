import { GuestProcess } from "../agent/guest-process.ts";
import type { AgentSession } from "../agent/types.ts";
import { abortError, throwIfAborted } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";
import type { Hypervisor } from "../hypervisor/types.ts";
import { podPath } from "../store/pod-directory.ts";
import type { ProcessIdentity } from "../store/process-identity.ts";
import type { Phase } from "../types/index.ts";

/** A timer that only keeps Node from ending; the longest there is. */
const KEEP_ALIVE_MS = 0x7fff_ffff;

/** What this process holds of a pod, beyond what is stored: its connection, its streams, what it has just heard. */
export class LivePod {
  readonly uuid: string;
  session: AgentSession | undefined;
  hypervisor: Hypervisor | undefined;
  /** phases of the calls so far */
  phases: Phase[] = [];
  /** the pod's containers, as far as this process knows */
  readonly containerIds = new Set<string>();
  /** containers that have ended since they were started last; undefined: it is not known how */
  readonly exits = new Map<string, number | undefined>();
  /** shims of containers that this process has started */
  readonly shims = new Map<string, ProcessIdentity>();
  /** when they were heard to have ended, in milliseconds since 1970 */
  readonly #exitTimes = new Map<string, number>();
  /** first processes that were attached to before the start */
  readonly #attached = new Map<string, GuestProcess>();
  /** what goes on beside the calls, and has files of the pod open */
  readonly #tasks = new Set<Promise<void>>();
  readonly #gone = new AbortController();
  readonly #exitWaiters = new Map<string, PromiseWithResolvers<void>>();
  readonly #closeWaiters = new Set<() => void>();

  constructor(uuid: string) {
    this.uuid = uuid;
  }

  /** The first process of a container, to be started by the next start of the container in this process. */
  attach(containerId: string, terminal: boolean): GuestProcess {
    const known = this.#attached.get(containerId);
    if (known) return known;
    const process = new GuestProcess({ terminal, attached: true });
    this.#attached.set(containerId, process);
    return process;
  }

  /** The process to start a container with: the one attached to, or one whose output nobody reads. */
  takeProcess(containerId: string, terminal: boolean): GuestProcess {
    const process = this.#attached.get(containerId) ?? new GuestProcess({ terminal, attached: false });
    this.#attached.delete(containerId);
    this.containerIds.add(containerId);
    this.exits.delete(containerId);
    return process;
  }

  /** Notes the end of a container. */
  noteExit(containerId: string, exitCode: number | undefined): void {
    this.exits.set(containerId, exitCode);
    this.#exitTimes.set(containerId, Date.now());
    this.#exitWaiters.get(containerId)?.resolve();
    this.#exitWaiters.delete(containerId);
  }

  /** Forgets the end of an earlier run of a container, which another process has started again since. */
  dropStaleExit(containerId: string, startTime: string): void {
    if ((this.#exitTimes.get(containerId) ?? 0) < Date.parse(startTime)) this.exits.delete(containerId);
  }

  /** Settles when the container has ended; at once when it has. */
  async exited(containerId: string): Promise<void> {
    if (this.exits.has(containerId)) return;
    const waiter = this.#exitWaiters.get(containerId) ?? Promise.withResolvers<void>();
    this.#exitWaiters.set(containerId, waiter);
    await waiter.promise;
  }

  /** The session has ended: nothing is heard any more. */
  noteClosed(): void {
    this.session = undefined;
    for (const waiter of this.#closeWaiters) waiter();
  }

  /** Settles when the container has ended, or the session has. Node is kept from ending until then. */
  async exitedOrClosed(containerId: string, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
    const onAbort = () => reject(abortError(signal as AbortSignal));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#closeWaiters.add(resolve);
    try {
      throwIfAborted(signal);
      if (!this.session || this.session.closed) return;
      void this.exited(containerId).then(resolve);
      await promise;
    } finally {
      clearInterval(keepAlive);
      signal?.removeEventListener("abort", onAbort);
      this.#closeWaiters.delete(resolve);
    }
  }

  /** Stores what was heard, beside whatever else goes on; it is given up when the pod is gone. */
  store(write: (signal: AbortSignal) => Promise<void>): void {
    void this.hold(write(this.#gone.signal));
  }

  /** Notes something that has files of the pod open: the pod is not forgotten before it is done. */
  hold<T>(task: Promise<T>): Promise<T> {
    const forget = () => void this.#tasks.delete(done);
    const done: Promise<void> = task.then(forget, forget);
    this.#tasks.add(done);
    return task;
  }

  /** The pod is gone: whoever waits for a start waits in vain, and nothing of it is held when this settles. */
  async abandon(podId: string): Promise<void> {
    this.session?.close();
    for (const process of this.#attached.values()) {
      process.fail(
        new HuskError("ERR_POD_NOT_FOUND", `pod "${podId}" was deleted before its start`, { podId }),
      );
    }
    this.#attached.clear();
    this.#gone.abort();
    await Promise.all(this.#tasks);
  }
}

const livePods = new Map<string, LivePod>();

/**
 * What this process holds of a pod. A pod of the same name that was made anew is another.
 * @param keep whether it is kept from now on; a pod that is only looked at leaves nothing in the memory of who lists many
 */
export function livePod(root: string, podId: string, uuid: string, keep: boolean): LivePod {
  const key = podPath(root, podId);
  const known = livePods.get(key);
  if (known?.uuid === uuid) return known;
  const fresh = new LivePod(uuid);
  if (keep) livePods.set(key, fresh);
  return fresh;
}

/** Forgets a pod that is gone. */
export async function forgetLivePod(root: string, podId: string): Promise<void> {
  const key = podPath(root, podId);
  const pod = livePods.get(key);
  livePods.delete(key);
  await pod?.abandon(podId);
}
