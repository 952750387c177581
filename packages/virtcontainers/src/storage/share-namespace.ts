import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readlinkSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { withDeadline } from "../deadline.ts";
import { HuskError, messageOf } from "../errors/index.ts";
import { runCommand } from "../host-command.ts";
import { FILES, type PodDirectory } from "../store/pod-directory.ts";
import { isProcessAlive, type ProcessIdentity } from "../store/process-identity.ts";

/**
 * Descriptor of a share's directory in the process that serves it. One digit: a shell redirects no others. QEMU finds
 * the shares from here on.
 */
export const SHARE_FD = 9;

/**
 * The share lies on itself, read-only: the guest can change what is bound into it, but not the share itself, in which we
 * make directories. Paths are relative, because a pod's directory gets its name while this runs. Standard output ends
 * when the directory is open, and is then what standard error is.
 */
const SCRIPT = `mount -c --bind -o ro ${FILES.share} ${FILES.share}; exec ${SHARE_FD}<${FILES.share} >&2; cd /; exec "$0" "$@"`;

/** A file or directory of the host to appear in a pod's share. */
export interface Bind {
  /** path on the host, without symbolic links */
  readonly source: string;
  /** path in the share */
  readonly name: string;
  readonly readOnly: boolean;
  /** with all that is mounted below the source */
  readonly recursive: boolean;
}

/** Limits of a bind. */
export interface BindOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A program in a mount namespace of its own, to be started in the pod's directory. What is mounted there is seen by nobody
 * else and goes with the program, however it ends; what is mounted on the host appears in it.
 */
export function inShareNamespace(program: string, args: readonly string[]) {
  const command = ["sh", "-ec", SCRIPT, program, ...args];
  return { program: "unshare", args: ["--mount", "--propagation", "slave", "--", ...command] };
}

/**
 * Waits until a child that was started so, with a pipe for its standard output, has opened its share or has ended.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED
 */
export async function waitForNamespace({ stdout }: ChildProcess, options: BindOptions): Promise<void> {
  if (!stdout || stdout.closed) return;
  const ended = new Promise<void>((resolve) => stdout.once("close", resolve));
  stdout.resume();
  try {
    const { timeoutMs: ms, signal } = options;
    await withDeadline(ended, { ms, signal, what: "the pod's share to be ready" });
  } finally {
    stdout.destroy();
  }
}

/**
 * Binds a file or directory of the host into a pod's share, in the namespace of the process that serves it, which is ready.
 * @throws HuskError ERR_SHARE_BIND, ERR_SHARE_LOST, ERR_ABORTED
 */
export async function bindIntoShare(
  bind: Bind,
  directory: PodDirectory,
  server: ProcessIdentity,
  options: BindOptions,
): Promise<void> {
  if (!isInNamespace(server)) throw shareLost();
  const target = join(directory.file("share"), bind.name);
  const failed = (why: string, cause?: unknown) =>
    new HuskError("ERR_SHARE_BIND", `${bind.source} cannot be shared with the pod: ${why}`, { cause });
  try {
    makeMountPoint(target, statSync(bind.source).isDirectory());
  } catch (error) {
    throw failed(messageOf(error), error);
  }
  const flags = [bind.recursive ? "--rbind" : "--bind", ...(bind.readOnly ? ["-o", "ro"] : [])];
  const mount = ["mount", "-c", ...flags, "--", bind.source, target];
  const words = await runCommand("nsenter", [`--mount=/proc/${server.pid}/ns/mnt`, "--", ...mount], options);
  if (words !== undefined) throw failed(words);
  if (isSameFile(bind.source, join(`/proc/${server.pid}/fd/${SHARE_FD}`, bind.name))) return;
  throw failed("it lies on a file system that was mounted after the pod was started");
}

/** Takes all that a container has out of the share: a mount goes with its mount point, in every namespace but our own. */
export function releaseBinds(directory: PodDirectory, containerId: string): void {
  rmSync(join(directory.file("share"), containerId), { recursive: true, force: true });
}

function makeMountPoint(path: string, isDirectory: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  if (isDirectory) mkdirSync(path, { mode: 0o755 });
  else closeSync(openSync(path, "wx", 0o644));
}

function isSameFile(path: string, other: string): boolean {
  const [one, two] = [statSync(path), statSync(other, { throwIfNoEntry: false })];
  return one.dev === two?.dev && one.ino === two.ino;
}

/** Whether the server lives, in a namespace of its own: nothing is ever mounted in ours. */
function isInNamespace(server: ProcessIdentity): boolean {
  try {
    const [its, ours] = [readlinkSync(`/proc/${server.pid}/ns/mnt`), readlinkSync("/proc/self/ns/mnt")];
    return its !== ours && isProcessAlive(server);
  } catch {
    return false;
  }
}

/** The error of a share whose server has ended. */
export function shareLost(): HuskError {
  return new HuskError("ERR_SHARE_LOST", "the process that serves the pod's shared directories has ended");
}
