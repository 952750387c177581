import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { ProcessIdentity } from "./process-identity.ts";

/** Longest path of a unix socket in bytes, by the size of `sun_path`. */
export const MAX_SOCKET_PATH_BYTES = 107;
/** Longest name among the sockets below. */
const LONGEST_SOCKET_NAME = "io-01234567.sock.new";

/** Names of the files of a pod. */
export const FILES = {
  /** the record */
  record: "pod.json",
  /** locks the record and every change of the pod */
  lock: "lock",
  /** locks the agent's channel: who holds it owns the connection to the guest */
  agentLock: "agent.lock",
  /** locked by the hypervisor itself as long as it lives */
  vmLock: "vm.lock",
  /** locked, shared, by the daemons of shared directories themselves as long as they live */
  shareLock: "share.lock",
  /** what the guest wrote to its console */
  console: "console.log",
  /** what the hypervisor said */
  hypervisorLog: "qemu.log",
  /** what the daemons of its shared directories said */
  shareLog: "virtiofsd.log",
  /** locked by the pod's proxy as long as it lives; its process id is in it */
  proxyLock: "proxy.lock",
  /** how the proxy is started, for who finds it dead */
  proxyCommand: "proxy.json",
  /** what a proxy must know of the one before it */
  proxyState: "proxy-state.json",
  /** what the proxy said */
  proxyLog: "proxy.log",
  /** locked, shared, by the shims themselves as long as they live */
  shimLock: "shim.lock",
  /** what the shims said */
  shimLog: "shim.log",
  /** directory of what shims leave: a directory for each container */
  containers: "containers",
  /** directory that is shared with the guest; what is in it is bound there in the namespace of who serves it */
  share: "share",
} as const;

/** Names of the sockets of a pod. */
export const SOCKETS = {
  /** the hypervisor's control socket */
  qmp: "qmp.sock",
  /** the agent's control channel */
  control: "hyper.sock",
  /** the agent's stream channel */
  stream: "tty.sock",
  /** the only channel of the Kata agent */
  kata: "kata.sock",
  /** the owner of the agent's channels offers them to others here */
  relayControl: "relay-ctl.sock",
  relayStream: "relay-tty.sock",
  /** the owner of the Kata agent's channel offers streams of it to others here */
  relayKata: "relay.sock",
  /** takes the state of a VM that is saved, for a moment */
  state: "state.sock",
  /** the pod's proxy */
  proxy: "proxy.sock",
  /** the daemon of a share, while it is started */
  share: "share.sock",
} as const;

/** Names of what the shim of a container's first process leaves. */
export const CONTAINER_FILES = {
  /** how the process ended */
  exit: "exit.json",
  /** its output, when it is detached; older output in `output.log.1` and so on */
  log: "output.log",
} as const;

const ATTACH_PREFIX = "io-";
const DIGEST_DIGITS = 8;

/** A short name for what has too long a one. */
function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, DIGEST_DIGITS);
}

/** Where a pod keeps its files and sockets. */
export class PodDirectory {
  readonly path: string;
  /** directory of the sockets: the pod's own, if its path is short enough */
  readonly socketPath: string;

  constructor(path: string, socketPath?: string | undefined) {
    this.path = path;
    this.socketPath = socketPath ?? path;
  }

  /** id of the pod: its directory has that name */
  get podId(): string {
    return basename(this.path);
  }

  file(name: keyof typeof FILES): string {
    return join(this.path, FILES[name]);
  }

  socket(name: keyof typeof SOCKETS): string {
    return join(this.socketPath, SOCKETS[name]);
  }

  /** Where the shim of a container's first process leaves something. */
  containerFile(containerId: string, name: keyof typeof CONTAINER_FILES): string {
    return join(this.file("containers"), containerId, CONTAINER_FILES[name]);
  }

  /** Where the shim of a container's first process can be attached to. Ids are too long for a socket's path. */
  attachSocket(containerId: string): string {
    return this.#attachSocket(digestOf(containerId));
  }

  #attachSocket(digest: string): string {
    return join(this.socketPath, `${ATTACH_PREFIX}${digest}.sock`);
  }

  /** The same for another process of a container. */
  execAttachSocket(containerId: string, token: string): string {
    return this.attachSocket(`${containerId}/${token}`);
  }

  /** Where the shim of another process leaves how that ended, until its caller has read it. */
  execExitFile(containerId: string, token: string, { pid, startTime }: ProcessIdentity): string {
    const name = `exec-${digestOf(`${containerId}/${token}`)}-${pid}-${startTime}.json`;
    return join(this.file("containers"), containerId, name);
  }

  /** Reads the name of such a file: its caller, and the socket of that shim; undefined: it is another's. */
  readExecExitName(name: string): { caller: ProcessIdentity; attachSocket: string } | undefined {
    const [, digest, pid, startTime] = /^exec-([0-9a-f]+)-(\d+)-(\d+)\.json$/.exec(name) ?? [];
    if (digest === undefined || startTime === undefined) return undefined;
    return { caller: { pid: Number(pid), startTime }, attachSocket: this.#attachSocket(digest) };
  }

  /** Makes the directory of the sockets, if they have one of their own. A record names it already, should we die now. */
  makeSocketDirectory(): void {
    if (this.socketPath !== this.path) mkdirSync(this.socketPath, { mode: 0o700 });
  }

  /** Makes it anew, if it was cleared away while the pod was stopped: temporary files do not outlive a restart of the machine. */
  keepSocketDirectory(): void {
    if (!existsSync(this.socketPath)) this.makeSocketDirectory();
  }

  /** Removes the sockets, whose servers have ended. */
  removeSockets(): void {
    if (!existsSync(this.socketPath)) return;
    const attachSockets = readdirSync(this.socketPath).filter((name) => name.startsWith(ATTACH_PREFIX));
    for (const name of [...Object.values(SOCKETS), ...attachSockets])
      rmSync(join(this.socketPath, name), { force: true });
  }

  /** Removes the pod's files: at once from everybody's sight, by a rename, then for good. */
  remove(): void {
    const grave = join(this.path, "..", `.gone-${randomBytes(6).toString("hex")}`);
    renameSync(this.path, grave);
    if (this.socketPath !== this.path) rmSync(this.socketPath, { recursive: true, force: true });
    rmSync(grave, { recursive: true, force: true });
  }
}

/** Directory of all pods under a state directory. */
export function podsDirectory(root: string): string {
  return join(root, "pods");
}

/** Path of a pod's directory. */
export function podPath(root: string, podId: string): string {
  return join(podsDirectory(root), podId);
}

/** Where the shim of a container's first process tells how that ended, as an `ExitRecord`. */
export function containerExitFile(root: string, podId: string, containerId: string): string {
  return new PodDirectory(podPath(root, podId)).containerFile(containerId, "exit");
}

/**
 * A path for the directory of the sockets of a pod whose own directory has too long a path; undefined when it has not.
 * The name is random: nobody else can have made it, and making it fails if somebody has.
 */
export function chooseSocketDirectory(path: string): string | undefined {
  if (Buffer.byteLength(join(path, LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES) return undefined;
  return join(process.env.XDG_RUNTIME_DIR || tmpdir(), `husk-${randomBytes(9).toString("hex")}`);
}
