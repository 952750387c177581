import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { HuskError, messageOf } from "../errors/index.ts";
import { FILES, type PodDirectory } from "../store/pod-directory.ts";
import { identifyProcess, type ProcessIdentity, podEnvironment } from "../store/process-identity.ts";
import { type BindOptions, inShareNamespace, SHARE_FD, waitForNamespace } from "./share-namespace.ts";
import { connectInAdvance } from "./socket-in-advance.ts";

/** Descriptor of the daemon's listening socket in the daemon. */
const SOCKET_FD = 3;

/** The directory, by its descriptor; it must not look like a link. */
const SOURCE = `/proc/self/fd/${SHARE_FD}/.`;

/**
 * Where Debian has virtiofsd, and how each is told the same. A sandbox by chroot, because a mount namespace of the daemon's
 * own would not see what is bound into the share later. Device nodes are not made on the host for a guest.
 */
const DAEMONS = [
  {
    path: "/usr/libexec/virtiofsd",
    args: [`--fd=${SOCKET_FD}`, `--shared-dir=${SOURCE}`, "--sandbox=chroot", "--xattr", "--modcaps=-mknod"],
  },
  {
    path: "/usr/lib/qemu/virtiofsd",
    args: ["-f", `--fd=${SOCKET_FD}`, "-o", `source=${SOURCE},sandbox=chroot,xattr,modcaps=-mknod`],
  },
] as const;

/** flock(1) becomes the daemon, which then holds the lock until it has ended, so that anybody can wait for that. */
const HOLDING_LOCK = ["--no-fork", "--shared", "--nonblock", FILES.shareLock];

/** A daemon that serves a share, and the hypervisor's end of its connection. */
export interface RunningDaemon {
  readonly identity: ProcessIdentity;
  /** to be handed to the hypervisor */
  readonly fd: number;
  /** Waits until files can be bound into what it serves; throws as `waitForNamespace`. */
  ready(options: BindOptions): Promise<void>;
  /** Closes our own descriptor; when no other has it, the daemon ends. */
  close(): void;
}

/**
 * The daemon of this machine.
 * @throws HuskError ERR_VIRTIOFSD when there is none, or we may not start it
 */
export function findVirtiofsd(daemons: readonly { path: string; args: readonly string[] }[] = DAEMONS) {
  if (process.geteuid?.() !== 0) {
    throw new HuskError("ERR_VIRTIOFSD", "only root can share directories with a pod");
  }
  for (const daemon of daemons) {
    try {
      accessSync(daemon.path, constants.X_OK);
      return daemon;
    } catch {
      // The next place may have it.
    }
  }
  const places = daemons.map(({ path }) => path).join(" nor at ");
  throw new HuskError("ERR_VIRTIOFSD", `there is no virtiofsd at ${places}`);
}

/**
 * Starts the daemon of a share, in a session of its own, so that it survives its caller. It ends by itself when the
 * hypervisor has ended.
 * @param volume descriptor of the directory; undefined: the pod's own share, in a mount namespace of its own
 * @throws HuskError ERR_VIRTIOFSD
 */
export async function startVirtiofsd(
  directory: PodDirectory,
  uuid: string,
  volume?: number | undefined,
): Promise<RunningDaemon> {
  const daemon = findVirtiofsd();
  const own = volume === undefined;
  const { program, args } = own
    ? inShareNamespace(daemon.path, daemon.args)
    : { program: daemon.path, args: daemon.args };
  const log = openSync(directory.file("shareLog"), "a", 0o600);
  try {
    // Node closes up an array with holes.
    const stdio: Array<"ignore" | "pipe" | number> = Array(SHARE_FD + 1).fill("ignore");
    stdio[1] = own ? "pipe" : log;
    stdio[2] = log;
    stdio[SHARE_FD] = volume ?? "ignore";
    const env = { ...process.env, ...podEnvironment(uuid) };
    const { child, fd, close } = await connectInAdvance(directory.socket("share"), (listening) => {
      stdio[SOCKET_FD] = listening;
      const options = { stdio, env, detached: true, cwd: directory.path };
      return spawn("flock", [...HOLDING_LOCK, program, ...args], options);
    });
    child.unref();
    const identity = identifyProcess(child.pid ?? 0);
    const ready = (options: BindOptions) => waitForNamespace(child, options);
    if (identity) return { identity, fd, ready, close };
    close();
    throw new Error(`${daemon.path} ended at once`);
  } catch (error) {
    if (error instanceof HuskError) throw error;
    const text = `the daemon of a shared directory cannot be started: ${messageOf(error)}`;
    throw new HuskError("ERR_VIRTIOFSD", text, { cause: error });
  } finally {
    closeSync(log);
  }
}
