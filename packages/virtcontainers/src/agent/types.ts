import type { HuskError } from "../errors/index.ts";
import type { SerialPort, Share } from "../hypervisor/types.ts";
import type { Dns, GuestInterface } from "../network/types.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type {
  AgentType,
  Cmd,
  ContainerConfig,
  ContainerStats,
  LinuxResources,
  OciProcess,
  Param,
  PortmappingWhiteLists,
  ProcessListOptions,
} from "../types/index.ts";
import type { GuestProcess } from "./guest-process.ts";

/** Id of a container's first process. */
export const INIT_PROCESS = "init";

/** Limits of one call to the agent. */
export interface AgentOptions {
  readonly signal?: AbortSignal | undefined;
}

/** How a process is started. */
export interface StartOptions extends AgentOptions {
  /** what it is to be, instead of what its command says; for agents that take specifications */
  readonly ociProcess?: OciProcess | undefined;
}

/** How a signal is sent. */
export interface KillOptions extends AgentOptions {
  /** to all processes of the container */
  readonly all?: boolean | undefined;
}

/** What becomes known from the guest without being asked for. */
export interface AgentEvents {
  /** A process has ended. */
  onExit(containerId: string, processId: string, exitCode: number): void;
  /** The session has ended; no event comes any more. */
  onClosed(): void;
}

/**
 * A process whose streams a shim carries, and not this process. The agent's side is prepared first, then the shim is started,
 * then the process.
 */
export interface ShimStarter {
  /** whether the process has a terminal */
  readonly terminal: boolean;
  /** Starts the shim. `token`: the name by which it asks its proxy, or the agent, for the process */
  startShim(token: string): Promise<void>;
}

/** Who carries the streams of a process. */
export type Carrier = GuestProcess | ShimStarter;

/** Whether it is a shim that is to be started, and not this process. */
export function isShimStarter(carrier: Carrier): carrier is ShimStarter {
  return "startShim" in carrier;
}

/** How a session with the agent is opened. */
export interface OpenOptions extends AgentOptions {
  readonly directory: PodDirectory;
  /** socket of the pod's proxy, which has the agent's channels; missing: there is none */
  readonly proxySocket?: string | undefined;
  /**
   * Brings the proxy back when it is dead, and settles when its socket is served. Rejects when the VM has ended or is about
   * to. Missing: a session ends with its proxy.
   */
  readonly reviveProxy?: (() => Promise<void>) | undefined;
  readonly deadlineFactor: number;
  /** the VM has just been started: wait until its agent is ready */
  readonly fresh: boolean;
  /** nobody was in the midst of anything on the agent's channels: frames begin where they are */
  readonly atRest?: boolean | undefined;
  /** fail, rather than go through another process, when that holds the agent's channels */
  readonly onlyOwner?: boolean | undefined;
  readonly events: AgentEvents;
  /** Ids of the containers that are stored as running now, be it that another process has started them. */
  runningContainers(): readonly string[];
  /** Tells why the channels of the VM have closed. `viaRelay`: they led through another process. */
  describeLoss(viaRelay: boolean): Promise<HuskError>;
  readonly mark?: ((phase: string) => void) | undefined;
}

/** The root of a container: a disk of the VM, or a directory in the pod's own share. */
export type ContainerRoot =
  | { readonly drive: string; readonly addr?: string; readonly fstype: string }
  | { readonly share: string };

/** A file or directory of a share to bind into a container. */
export interface SharedPath {
  /** path in the share; empty: all of it */
  readonly source: string;
  /** mount tag of the share; missing: the pod's own */
  readonly tag?: string;
  /** path in the container */
  readonly destination: string;
  readonly readOnly: boolean;
}

/** A mount that needs nothing of the host. */
export interface GuestMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A device node of a container. */
export interface GuestDevice {
  /** path in the container */
  readonly path: string;
  readonly type: "c" | "b" | "p";
  readonly major: number;
  readonly minor: number;
  /** permission bits */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** id of the disk whose numbers in the guest replace the two above */
  readonly disk?: string;
  /** address of that disk, if it has one */
  readonly addr?: string;
}

/** What a container has of the VM's disks and shares, and of its own. */
export interface ContainerStorage {
  readonly root: ContainerRoot;
  readonly shared: readonly SharedPath[];
  readonly mounts: readonly GuestMount[];
  readonly devices: readonly GuestDevice[];
}

/** A container to start. */
export interface ContainerStart {
  readonly config: ContainerConfig;
  readonly storage: ContainerStorage;
  /** how the pod resolves names; missing: not at all */
  readonly dns?: Dns | undefined;
}

/** A pod to set up. */
export interface PodStart {
  readonly hostname: string;
  readonly podId: string;
  /** mount tag of the pod's own share, if it has one */
  readonly shareDir?: string;
  /** all shares of the VM, the pod's own and its volumes */
  readonly shares: readonly Share[];
  /** addresses that the pod is going to have */
  readonly addresses: readonly string[];
  /** how names are resolved; missing: not at all */
  readonly dns?: Dns;
  /** networks for which ports are mapped; missing: all reach the pod */
  readonly portmappingWhiteLists?: PortmappingWhiteLists;
}

/** A connection to the agent of one VM. */
export interface AgentSession {
  /** whether it has ended */
  readonly closed: boolean;
  /** whether this process holds the channels of the VM, and not another that relays for us */
  readonly isOwner: boolean;
  /** Sets the pod up in the guest. */
  startPod(pod: PodStart, options: AgentOptions): Promise<void>;
  /**
   * Sets up a network interface, found by its hardware address: name, MTU, addresses, neighbours. One that is just being
   * plugged in is waited for.
   */
  setupInterface(guestInterface: GuestInterface, options: AgentOptions): Promise<void>;
  /**
   * Adds the routes of interfaces that are set up, in an order in which each next hop can be reached.
   * @param all all interfaces that the pod then has
   */
  setupRoutes(
    interfaces: readonly GuestInterface[],
    all: readonly GuestInterface[],
    options: AgentOptions,
  ): Promise<void>;
  /** Starts a container; `carrier` carries its first process. */
  startContainer(start: ContainerStart, carrier: Carrier, options: AgentOptions): Promise<void>;
  /** Starts another process in a container that runs. @returns its id, unique in the pod */
  startProcess(containerId: string, cmd: Cmd, carrier: Carrier, options: StartOptions): Promise<string>;
  /**
   * Whether the first process of a container runs. Its end is told as an event from now on, if that was not so before; also
   * one that nobody has heard.
   */
  isRunning(containerId: string, options: AgentOptions): Promise<boolean>;
  /**
   * Sends a signal to the first process of a container, or to all; 0 only asks.
   * @returns whether there was such a container
   */
  killContainer(containerId: string, signal: number, options: KillOptions): Promise<boolean>;
  /** Sends a signal to another process of a container than its first. One that has ended is no error. */
  signalProcess(containerId: string, processId: string, signal: number, options: AgentOptions): Promise<void>;
  /**
   * Lists the processes of a container that runs.
   * @returns an array of process ids as JSON, or the lines of ps(1)
   */
  listProcesses(containerId: string, list: ProcessListOptions, options: AgentOptions): Promise<Uint8Array>;
  /** Lets go what the guest keeps of a container that has ended. One that is not there is no error. */
  removeContainer(containerId: string, options: AgentOptions): Promise<void>;
  /**
   * Ends all containers, in order. Settles when the guest has agreed, not when it is off.
   * @returns whether the guest then powers off by itself
   */
  stopPod(options: AgentOptions): Promise<boolean>;
  /** Ends the session; the pod goes on. */
  close(): void;
}

/** A session with an agent that takes into use what is plugged into the VM. */
export interface ResourceControl {
  /** Takes plugged-in processors, and memory unless `cpuOnly`, into use. `cpus`: how many were plugged in. */
  onlineCPUMem(cpus: number, cpuOnly: boolean, options: AgentOptions): Promise<void>;
}

/** That ability of a session, if its agent has it. */
export function resourceControlOf(session: AgentSession): (AgentSession & ResourceControl) | undefined {
  return "onlineCPUMem" in session ? (session as AgentSession & ResourceControl) : undefined;
}

/** A session with an agent whose VM may have begun as a copy of another. */
export interface IdentityControl {
  /** Sets the guest's clock and feeds its random numbers. */
  renewIdentity(random: Uint8Array, options: AgentOptions): Promise<void>;
}

/** That ability of a session, if its agent has it. */
export function identityControlOf(session: AgentSession): (AgentSession & IdentityControl) | undefined {
  return "renewIdentity" in session ? (session as AgentSession & IdentityControl) : undefined;
}

/** A session with an agent that can take a pod away such that its VM is as before the pod. */
export interface RehearsalControl {
  /** Ends the pod, if there is one; the guest goes on, and takes another. */
  clearPod(options: AgentOptions): Promise<void>;
}

/** That ability of a session, if its agent has it. */
export function rehearsalControlOf(session: AgentSession): (AgentSession & RehearsalControl) | undefined {
  return "clearPod" in session ? (session as AgentSession & RehearsalControl) : undefined;
}

/** A session with an agent that limits, measures and freezes containers, and takes plugged-in resources into use. */
export interface ContainerControl extends ResourceControl {
  /** Changes what a container that runs may use; what is left out stays as it is. */
  updateContainer(containerId: string, resources: LinuxResources, options: AgentOptions): Promise<void>;
  /** Tells what a container uses. */
  statsContainer(containerId: string, options: AgentOptions): Promise<ContainerStats>;
  /** Freezes all processes of a container. */
  pauseContainer(containerId: string, options: AgentOptions): Promise<void>;
  /** Lets them go on. */
  resumeContainer(containerId: string, options: AgentOptions): Promise<void>;
  /** Where the root of a container is in the guest, for `copyFile`. */
  rootOf(containerId: string): string;
  /** Copies a regular file of the host into the guest, below `/run`. */
  copyFile(source: string, destination: string, options: AgentOptions): Promise<void>;
}

/** That ability of a session, if its agent has it. */
export function containerControlOf(session: AgentSession): (AgentSession & ContainerControl) | undefined {
  return "updateContainer" in session ? (session as AgentSession & ContainerControl) : undefined;
}

/** A session with an agent that makes a container first, and lets its first process begin later: OCI's `create` and `start`. */
export interface ContainerPreparation {
  /** Makes a container whose first process waits, and starts the shim of that. */
  prepareContainer(start: ContainerStart, shim: ShimStarter, options: AgentOptions): Promise<void>;
  /** Lets the first process of such a container begin. When it cannot, the container is gone. */
  beginContainer(containerId: string, options: AgentOptions): Promise<void>;
}

/** That ability of a session, if its agent has it. */
export function preparationOf(session: AgentSession): (AgentSession & ContainerPreparation) | undefined {
  return "prepareContainer" in session ? (session as AgentSession & ContainerPreparation) : undefined;
}

/** A kind of agent. */
export interface Agent {
  readonly type: AgentType;
  /** the serial ports it needs in the VM */
  readonly ports: readonly SerialPort[];
  /** words for the guest kernel's command line */
  readonly kernelParams: readonly Param[];
  /** whether the guest keeps what a container had until it is removed */
  readonly keepsEnded: boolean;
  /**
   * Connects to the agent in a VM.
   * @returns undefined only with `onlyOwner`, when another process holds the channels
   * @throws HuskError ERR_BOOT_TIMEOUT, ERR_VM_LOST, ERR_AGENT_VERSION, ERR_AGENT_PROTOCOL, ERR_AGENT_DISCONNECTED, …
   */
  open(options: OpenOptions): Promise<AgentSession | undefined>;
}
