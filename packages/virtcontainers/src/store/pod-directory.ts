import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longest path of a unix socket in bytes, by the size of `sun_path`. */
export const MAX_SOCKET_PATH_BYTES = 107;
/** Longest name among the sockets below. */
const LONGEST_SOCKET_NAME = "relay-ctl.sock.new";

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
  /** the daemon of a share, while it is started */
  share: "share.sock",
} as const;

/** Where a pod keeps its files and sockets. */
export class PodDirectory {
  readonly path: string;
  /** directory of the sockets: the pod's own, if its path is short enough */
  readonly socketPath: string;

  constructor(path: string, socketPath?: string | undefined) {
    this.path = path;
    this.socketPath = socketPath ?? path;
  }

  file(name: keyof typeof FILES): string {
    return join(this.path, FILES[name]);
  }

  socket(name: keyof typeof SOCKETS): string {
    return join(this.socketPath, SOCKETS[name]);
  }

  /** Makes the directory of the sockets, if they have one of their own. A record names it already, should we die now. */
  makeSocketDirectory(): void {
    if (this.socketPath !== this.path) mkdirSync(this.socketPath, { mode: 0o700 });
  }

  /** Removes the sockets, whose servers have ended. */
  removeSockets(): void {
    for (const name of Object.values(SOCKETS)) rmSync(join(this.socketPath, name), { force: true });
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

/**
 * A path for the directory of the sockets of a pod whose own directory has too long a path; undefined when it has not.
 * The name is random: nobody else can have made it, and making it fails if somebody has.
 */
export function chooseSocketDirectory(path: string): string | undefined {
  if (Buffer.byteLength(join(path, LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES) return undefined;
  return join(process.env.XDG_RUNTIME_DIR || tmpdir(), `husk-${randomBytes(9).toString("hex")}`);
}
