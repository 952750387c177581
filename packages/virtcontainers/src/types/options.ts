import type { FactoryConfig } from "./factory-config.ts";
import type { VCPod } from "./handles.ts";
import type { ProcessListFormat } from "./kinds.ts";
import type { OciProcess } from "./oci-spec.ts";
import type { VmCache, VmCacheStatus } from "./vm-cache.ts";

/** A moment of a call, for those who watch where the time goes. */
export interface Phase {
  /** what has just been done: `qemu-spawned`, `ready`… */
  readonly name: string;
  /** milliseconds since the call began */
  readonly at: number;
  /** milliseconds since the phase before */
  readonly took: number;
}

/** Options that every call takes. */
export interface CallOptions {
  /** ends the call: what it has made is undone */
  signal?: AbortSignal | undefined;
  /** state directory; default `$HUSK_ROOT`, else `/run/husk` for root, else `$XDG_RUNTIME_DIR/husk` */
  root?: string | undefined;
  /** cache directory; default `$HUSK_CACHE`, else `/var/cache/husk` for root, else `$XDG_CACHE_HOME/husk` */
  cache?: string | undefined;
  /** is told what went wrong without failing the call: a PostStart or PostStop hook; default: Node's own warnings */
  onWarning?: ((warning: Error) => void) | undefined;
  /** is told each phase as it is done */
  onPhase?: ((phase: Phase) => void) | undefined;
}

/** Options of `enterContainer`. */
export interface EnterOptions extends CallOptions {
  /** connect the streams of the process; default: stdin is closed, output is discarded */
  attach?: boolean | undefined;
  /**
   * its shim, which has this process's streams, gets a session of its own: this process may end before it. Ours alone
   */
  ownSession?: boolean | undefined;
  /**
   * all that the process is to be, by the OCI runtime specification; for pods with the Kata agent. It wins over the command, which then
   * only tells whether there is a terminal. Ours alone
   */
  ociProcess?: OciProcess | undefined;
}

/** What `processListContainer` is to list, and how. Go: `ProcessListOptions`. */
export interface ProcessListOptions {
  /** `json`: an array of process ids, as the pod numbers them; `table`: text as ps(1) writes it */
  format: ProcessListFormat;
  /** options of ps(1) for the table; default: `-ef` */
  args?: string[] | undefined;
}

/** Options of `startContainer`. */
export interface StartOptions extends CallOptions {
  /** do it only if the container is prepared, and waits to begin; else ERR_STATE_INVALID. Ours alone */
  ifPrepared?: boolean | undefined;
}

/** Options of `stopPod` and `deletePod`. */
export interface EndOptions extends CallOptions {
  /** do it only if each container has ended by itself, or is stopped; else ERR_STATE_INVALID. Ours alone */
  ifEnded?: boolean | undefined;
}

/** Options of `listPod`. */
export interface ListOptions extends CallOptions {
  /** is told why a pod's state cannot be told, and the others are listed; without it, such a pod fails the call */
  onBroken?: ((error: Error) => void) | undefined;
}

/** Options of `createPod`. */
export interface CreateOptions extends CallOptions {
  /** where the VM comes from; default: it boots. Kata: the argument `factory` of `CreateSandbox` */
  factory?: FactoryConfig | undefined;
  /** VMs of this process to take one of, instead of asking the cache that `factory` names. Kata: the factory `cache` */
  vmCache?: VmCache | undefined;
}

/** Options of `openVmCache` and `serveVmCache`. */
export interface VmCacheOptions extends CallOptions {
  /** is told each time that one more VM waits, what the cache has then */
  onWaiting?: ((status: VmCacheStatus) => void) | undefined;
}

/** Options of `runPod`. */
export interface RunOptions extends CreateOptions {
  /**
   * is given the pod when it is created and none of its containers is started: the moment for `container.attach()`.
   * What it throws fails the call
   */
  onCreated?: ((pod: VCPod) => void) | undefined;
}
