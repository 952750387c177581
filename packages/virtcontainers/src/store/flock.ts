import { spawn } from "node:child_process";
import { closeSync, constants, existsSync, fstatSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { abortError } from "../deadline.ts";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";

/** How a lock is taken. */
export interface LockOptions {
  /** shared: with other shared holders; exclusive: alone */
  readonly mode: "shared" | "exclusive";
  /** whether to wait while another holds it; default true */
  readonly wait?: boolean;
  /** milliseconds to wait at most; default: for ever */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A lock held by an open file description: it ends with `release()`, or with the last process that has it open. */
export class FileLock {
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The open file. @throws Error when the lock has been let go */
  get fd(): number {
    if (this.#fd === undefined) throw new Error("the lock was let go");
    return this.#fd;
  }

  /** Lets the lock go, if it is still held. */
  release(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Opens (and makes) a lock file, 0600. */
export function openLockFile(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
}

/**
 * Locks an open file description by flock(2), which Node does not have: flock(1) inherits the descriptor, locks it and
 * ends, and the lock stays with the description. It can be waited for without polling, is gone when its holder is
 * killed, and ending the child ends the wait.
 * @returns whether the lock was got; false only when not waiting, or when the time was up
 * @throws HuskError ERR_ABORTED, ERR_LOCK
 */
export function lockDescriptor(fd: number, options: LockOptions): Promise<boolean> {
  const { signal, timeoutMs } = options;
  if (signal?.aborted) return Promise.reject(abortError(signal));
  const args = [options.mode === "shared" ? "-s" : "-x"];
  if (options.wait === false) args.push("-n");
  else if (timeoutMs !== undefined) args.push("-w", (Math.max(timeoutMs, 1) / 1000).toFixed(3));
  return new Promise((resolve, reject) => {
    const child = spawn("flock", [...args, "-E", "9", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    const onAbort = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", onAbort, { once: true });
    child.once("error", (error) => {
      signal?.removeEventListener("abort", onAbort);
      reject(new HuskError("ERR_LOCK", `flock(1) cannot be run: ${error.message}`, { cause: error }));
    });
    child.once("exit", (code) => {
      signal?.removeEventListener("abort", onAbort);
      if (code === 0) resolve(true);
      else if (code === 9) resolve(false);
      else if (signal?.aborted) reject(abortError(signal));
      else reject(new HuskError("ERR_LOCK", `flock(1) ended with status ${code}`));
    });
  });
}

/**
 * Locks a file that exists. When the file is removed or replaced while we wait, there is nothing left to lock.
 * @returns undefined when the lock was not got, as `lockDescriptor` tells
 * @throws Error ENOENT when the file does not exist, or not any more; HuskError ERR_ABORTED, ERR_LOCK
 */
export async function lockFile(path: string, options: LockOptions): Promise<FileLock | undefined> {
  const lock = new FileLock(openSync(path, constants.O_RDWR));
  try {
    if (await lockDescriptor(lock.fd, options)) {
      if (isSameFile(lock.fd, path)) return lock;
      throw Object.assign(new Error(`${path} was removed while it was waited for`), { code: "ENOENT" });
    }
  } catch (error) {
    lock.release();
    throw error;
  }
  lock.release();
  return undefined;
}

/** What is waited for, and how long. */
export interface HolderLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** for the error: "QEMU to end" */
  readonly what: string;
}

/**
 * Waits until nobody holds a lock that its holders have as long as they live. Of a file that is not there, there are none.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_LOCK
 */
export async function waitForHolders(path: string, { timeoutMs, signal, what }: HolderLimits): Promise<void> {
  try {
    const lock = await lockFile(path, { mode: "exclusive", timeoutMs, signal });
    if (signal?.aborted) throw abortError(signal);
    if (!lock) throw new HuskError("ERR_TIMEOUT", `waited ${Math.round(timeoutMs)} ms in vain for ${what}`);
    lock.release();
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

function isSameFile(fd: number, path: string): boolean {
  try {
    const [ours, theirs] = [fstatSync(fd), statSync(path)];
    return ours.ino === theirs.ino && ours.dev === theirs.dev;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Takes a lock at once whose file its holder removes before letting go of it: then the file is made anew.
 * @returns undefined when another holds it
 * @throws HuskError ERR_STORE, ERR_LOCK
 */
export async function takeRemovableLock(path: string): Promise<FileLock | undefined> {
  for (;;) {
    try {
      closeSync(openLockFile(path));
      return await lockFile(path, { mode: "exclusive", wait: false });
    } catch (error) {
      if (error instanceof HuskError) throw error;
      if (systemCode(error) !== "ENOENT" || !existsSync(dirname(path)))
        throw new HuskError("ERR_STORE", `${path} cannot be made: ${messageOf(error)}`, { cause: error });
    }
  }
}
