/**
 * The container module of 0-OS (seed 002, "Module interface"). What is marked as ours is not in the seed.
 * @module
 */
import type { Readable, Writable } from "node:stream";

/** Id of a container, unique in its namespace: its name. Seed: `ContainerID`. */
export type ContainerID = string;

/** The network that a container joins. Seed: `NetworkInfo`. */
export interface NetworkInfo {
  /** a network namespace that is there: a name below `/run/netns`, or an absolute path */
  readonly namespace: string;
}

/** What is mounted into a container. Seed: `MountInfo`. */
export interface MountInfo {
  /** path on the host; for file systems without one, what their type takes (`tmpfs`) */
  readonly source: string;
  /** absolute path in the container */
  readonly target: string;
  /** `bind`, `tmpfs`, …; default: bind */
  readonly type?: string | undefined;
  /** as mount(8) has them (`ro`, `nosuid`, `size=64m`); default of a bind: `rbind` */
  readonly options?: readonly string[] | undefined;
}

/** What a container is doing. Ours. */
export type ContainerState = "creating" | "running" | "restarting" | "stopped" | "failed" | "deleting";

/** What the seed leaves out of what `inspect` tells. Ours. */
export interface ContainerStatus {
  /** namespace of the container's name */
  readonly ns: string;
  readonly state: ContainerState;
  /** process on the host that stands for the container, while one does */
  readonly pid?: number | undefined;
  /** how its last run ended, 128+signal if a signal ended it; missing: it runs, or nobody knows */
  readonly exitCode?: number | undefined;
  /** how often it was started again */
  readonly restarts: number;
  /** why it is not running, or what was lost */
  readonly reason?: string | undefined;
  /** when `run` was called, ISO 8601 */
  readonly createdAt: string;
  /** when its process was started last, ISO 8601 */
  readonly startedAt?: string | undefined;
  /** when that ended, ISO 8601 */
  readonly exitedAt?: string | undefined;
  /** the command that it runs */
  readonly args: readonly string[];
  /** where its output goes */
  readonly logPath: string;
  /** what carries it out */
  readonly backend: BackendKind;
}

/** What is known of a container: plain JSON. Seed: `ContainerInfo`. */
export interface ContainerInfo {
  readonly id: ContainerID;
  readonly name: string;
  /** what its root file system is made of, as `run` was told */
  readonly flist: string;
  readonly tags: readonly string[];
  /** missing: a network namespace of its own, with nothing but loopback (ours) */
  readonly network?: NetworkInfo | undefined;
  readonly mounts: readonly MountInfo[];
  readonly ours: ContainerStatus;
}

/** Kinds of what carries containers out: VMs of husk's, or an OCI runtime. */
export type BackendKind = "vm" | "oci";

/** Options that every call has. Ours. */
export interface ModuleCallOptions {
  /** ends the call; what it has made is undone */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `run`. Ours. */
export interface RunOptions extends ModuleCallOptions {
  /** memory that it may use, in bytes; default: no limit (of a VM: husk's default) */
  readonly memory?: number | undefined;
  /** processors that it may use, also parts of them; default: no limit (of a VM: husk's default) */
  readonly cpus?: number | undefined;
  /** absolute working directory; default: `.startup.toml`'s, else `/` */
  readonly cwd?: string | undefined;
  /** what becomes of its output; default: 10 MiB, 3 files */
  readonly log?: LogLimits | undefined;
  /** when it is started again; default: three times, two seconds after its end, counted anew after a minute */
  readonly restart?: RestartPolicy | undefined;
}

/** When a container whose process has ended is started again. Ours. */
export interface RestartPolicy {
  /** how often; 0: never */
  readonly limit: number;
  /** milliseconds between the end and the start */
  readonly delayMs: number;
  /** milliseconds of a run after which restarts are counted from 0 again */
  readonly stableMs: number;
}

/** Bounds of a log. Ours. */
export interface LogLimits {
  /** bytes after which a new file is begun */
  readonly maxBytes: number;
  /** files that are kept, with the one that is written */
  readonly maxFiles: number;
}

/** Options of `delete`. Ours. */
export interface DeleteOptions extends ModuleCallOptions {
  /** milliseconds between SIGTERM and SIGKILL; default: 3,000 */
  readonly graceMs?: number | undefined;
  /** remove the log as well; default: it stays, and a container of the same name goes on in it */
  readonly removeLog?: boolean | undefined;
}

/** Options of `logs`. Ours. */
export interface ModuleLogOptions extends ModuleCallOptions {
  /** go on with what comes until the container has ended; default: false */
  readonly follow?: boolean | undefined;
  /** begin with the last so many lines; default: all that is kept */
  readonly tail?: number | undefined;
}

/** Options of `exec`. Ours. */
export interface ExecOptions extends ModuleCallOptions {
  /** `NAME=value`; wins over the container's environment, which it has as well */
  readonly env?: readonly string[] | undefined;
  /** absolute; default: the container's */
  readonly cwd?: string | undefined;
  /** milliseconds after which it is killed, and `wait` fails with ERR_TIMEOUT; default: no limit */
  readonly timeoutMs?: number | undefined;
  /** give it a terminal of that size: then all of its output is stdout, and its input has no end; default: it has none */
  readonly terminal?: TerminalSize | undefined;
}

/** Size of a terminal, in characters. Ours. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A program that runs in a container beside its own. Ours. */
export interface ExecProcess extends Disposable {
  /** its standard input; it must be ended for the program to see an end */
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Waits until it has ended and its output has come.
   * @returns its exit status, 128+signal if a signal ended it
   * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_RUNTIME when it could not be started, ERR_SHIM_LOST
   */
  wait(): Promise<{ exitCode: number }>;
  /** Tells its terminal, if it has one, its size. @throws HuskError ERR_CONFIG_INVALID when no terminal has that size */
  resize(size: TerminalSize): void;
  /** Lets go of it: it is killed, if it runs. */
  [Symbol.dispose](): void;
}

/** Runs containers. Seed: `ContainerModule`; `list`, `logs` and `exec` are ours. */
export interface ContainerModule {
  /**
   * Creates a container and starts it.
   * @param ns namespace of the name: that of a tenant. Of names both are: letters and digits, in groups that single `.`, `_` or
   * `-` join, at most 76 characters
   * @param flist what its root file system is made of: an flist (a file, an http(s) address), an OCI image layout
   * (`DIRECTORY[:TAG]`), or a directory
   * @param tags words of the caller's own, which `inspect` tells again
   * @param env `NAME=value`; wins over what `.startup.toml` says
   * @param network undefined (ours): a namespace of its own, with nothing but loopback
   * @param entrypoint a command line, split by shlex's rules, or its words (ours); "" or none: what `.startup.toml` says (ours)
   * @throws HuskError ERR_NAME_INVALID, ERR_CONTAINER_EXISTS, ERR_ENTRYPOINT_INVALID, ERR_CONFIG_INVALID, ERR_NETWORK_NAMESPACE,
   * ERR_MOUNT_SOURCE_MISSING, ERR_RUNTIME, ERR_SHIM_START, ERR_NOT_SUPPORTED, ERR_STORE, ERR_ABORTED; those of `openSource`
   */
  run(
    ns: string,
    name: string,
    flist: string,
    tags: readonly string[],
    env: readonly string[],
    network: NetworkInfo | undefined,
    mounts: readonly MountInfo[],
    entrypoint: string | readonly string[],
    options?: RunOptions,
  ): Promise<ContainerID>;
  /** Tells of a container. @throws HuskError ERR_NAME_INVALID, ERR_CONTAINER_NOT_FOUND, ERR_STATE_CORRUPT */
  inspect(ns: string, id: ContainerID, options?: ModuleCallOptions): Promise<ContainerInfo>;
  /**
   * Stops a container, if it runs, and removes it. Its log stays. One that is not there is no error.
   * @throws HuskError ERR_NAME_INVALID, ERR_CONTAINER_STUCK when its process cannot be killed: then it is still there, and
   * may be deleted again; ERR_RUNTIME, ERR_TIMEOUT, ERR_STORE, ERR_ABORTED
   */
  delete(ns: string, id: ContainerID, options?: DeleteOptions): Promise<void>;
  /** Tells of all containers, by namespace and name. @param ns only those of that namespace. @throws HuskError ERR_NAME_INVALID */
  list(ns?: string, options?: ModuleCallOptions): Promise<ContainerInfo[]>;
  /** Reads the log: both streams of output, as they came. @throws HuskError ERR_NAME_INVALID, ERR_CONTAINER_NOT_FOUND, ERR_ABORTED */
  logs(ns: string, id: ContainerID, options?: ModuleLogOptions): AsyncIterable<Uint8Array>;
  /**
   * Runs a program in a container that runs.
   * @throws HuskError ERR_NAME_INVALID, ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_SHIM_LOST, ERR_ABORTED
   */
  exec(ns: string, id: ContainerID, args: readonly string[], options?: ExecOptions): Promise<ExecProcess>;
}
