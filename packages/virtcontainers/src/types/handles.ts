import type { Readable, Writable } from "node:stream";
import type { HypervisorConfig } from "./hypervisor-config.ts";
import type { AgentType, HypervisorType, State } from "./kinds.ts";
import type { PodNetworkStatus } from "./network-status.ts";
import type { Phase } from "./options.ts";

/** What `processListContainer` returns: text in the form that was asked for. Go: `ProcessList`. */
export type ProcessList = Uint8Array;

/** Status of a container. Go: `ContainerStatus`. */
export interface ContainerStatus {
  /** unique in its pod */
  id: string;
  /** state now; `paused` by itself, or because the pod is */
  state: State;
  /** process id of the shim on the host, or what `setPid` told; -1: there is no such process */
  pid: number;
  /** when the container was started; undefined: not yet */
  startTime: Date | undefined;
  /** its root file system on the host, an absolute path */
  rootFs: string;
  /** those of its configuration */
  annotations: Record<string, string>;
  /** exit status of the container's first process, 128+signal if a signal ended it; undefined: not known (ours) */
  exitCode: number | undefined;
  /** the command of the container (ours) */
  args: string[];
  /** where a shim keeps the output of a detached container, of its last run; undefined: it has no log (ours) */
  logPath: string | undefined;
}

/** Status of a pod. Go: `PodStatus`. */
export interface PodStatus {
  /** unique under a state directory */
  id: string;
  /** state now, by what can be seen of VM and guest */
  state: State;
  /** kind of hypervisor */
  hypervisor: HypervisorType;
  /** what the VM is made of, paths absolute */
  hypervisorConfig: HypervisorConfig;
  /** kind of agent */
  agent: AgentType;
  /** its containers, in the order of their creation */
  containersStatus: ContainerStatus[];
  /** those of its configuration, and what `setAnnotations` changed */
  annotations: Record<string, string>;
  /** when the pod was created (ours) */
  createdAt: Date;
  /** process id of the hypervisor on the host; undefined: none runs (ours) */
  hypervisorPid: number | undefined;
  /** process id of the proxy on the host; undefined: none runs (ours) */
  proxyPid: number | undefined;
  /** accelerator of the VM; undefined: none runs (ours) */
  accelerator: string | undefined;
  /** virtual CPUs that the VM has, with those that were plugged in; undefined: none runs (ours) */
  vcpus: number | undefined;
  /** guest memory in MiB, with what was plugged in; undefined: none runs (ours) */
  memory: number | undefined;
  /** its network; undefined: it has none, or no VM (ours) */
  network: PodNetworkStatus | undefined;
}

/** How a process ended. */
export interface ProcessExit {
  /** exit status, 128+signal when a signal ended it */
  exitCode: number;
}

/**
 * The ends of a process in the guest. Reading must go on until the end of the streams: a reader that stops holds up the
 * output of the whole pod, whose processes share one channel. Marked as ours: virtcontainers 1.0 leaves this to shims.
 */
export interface ProcessIo {
  /** the process's standard input; may be written before it is started */
  readonly stdin: Writable;
  /** the process's output; with a terminal, all of it */
  readonly stdout: Readable;
  /** undefined when the process has a terminal */
  readonly stderr: Readable | undefined;
  /**
   * Waits until the process has ended and all its output has been received.
   * @throws HuskError ERR_VM_LOST, ERR_AGENT_DISCONNECTED, ERR_AGENT_PROTOCOL
   */
  wait(): Promise<ProcessExit>;
  /** Sends a signal (number): to the process group, as a terminal does. */
  signal(signal: number): Promise<void>;
  /** Tells the process's terminal its size in characters. Input that is written afterwards may be there before it. */
  resize(rows: number, columns: number): Promise<void>;
}

/** A process of a container. Go: `Process`. */
export interface Process {
  /** id of the process, unique in the pod; without a shim, `init` is the first of its container */
  readonly token: string;
  /** process id of the shim on the host, or what `setPid` told; -1: there is no such process */
  readonly pid: number;
  /** when it was started; undefined: not yet */
  readonly startTime: Date | undefined;
}

/** A process started by `enterContainer` (ours: `io`). */
export interface EnteredProcess extends Process {
  /** its ends; without `attach`, stdin is closed and the output is discarded */
  readonly io: ProcessIo;
}

/** Handle of a pod: what it was when the call that returned it was done. Go: `VCPod`. */
export interface VCPod {
  /** Id of the pod. Go: `ID`. */
  id(): string;
  /** The value of one annotation. @throws HuskError ERR_ANNOTATION_NOT_FOUND */
  annotations(key: string): string;
  /** A copy of all annotations. */
  getAnnotations(): Record<string, string>;
  /**
   * Adds to the pod's annotations, or replaces some, and stores them.
   * @throws HuskError ERR_CONFIG_INVALID, ERR_POD_NOT_FOUND
   */
  setAnnotations(annotations: Record<string, string>): Promise<void>;
  /** Its containers, in the order of their creation. */
  getAllContainers(): VCContainer[];
  /** One container; undefined: the pod has none of that id. */
  getContainer(containerId: string): VCContainer | undefined;
  /** The phases of the calls that led to this handle, in order (ours). */
  timings(): Phase[];
}

/** Handle of a container: what it was when the call that returned it was done. Go: `VCContainer`. */
export interface VCContainer {
  /** Id of the container. Go: `ID`. */
  id(): string;
  /** The pod it belongs to. */
  pod(): VCPod;
  /** A copy of the annotations of the container's configuration. */
  getAnnotations(): Record<string, string>;
  /** Process id that stands for the container on the host: what `setPid` told, or the shim's; -1: no such process lives. */
  getPid(): number;
  /** Id of the container's first process: `init`, or the name by which its shim asks for it. */
  getToken(): string;
  /** The container's first process. */
  process(): Process;
  /**
   * Tells which process on the host stands for the container, and stores it: a shim of the caller's own. It is told by
   * `getPid` and in the status as long as that process lives, and until the pod gets another VM.
   * @throws HuskError ERR_CONFIG_INVALID when there is no such process; ERR_POD_NOT_FOUND, ERR_CONTAINER_NOT_FOUND
   */
  setPid(pid: number): Promise<void>;
  /**
   * The ends of the container's first process (ours). To be called before the container is started, in the process that
   * starts it, so that no output is lost.
   * @throws HuskError ERR_STATE_INVALID when the container is running already
   */
  attach(): ProcessIo;
}
