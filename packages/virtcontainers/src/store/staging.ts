import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import { FileLock, openLockFile } from "./flock.ts";
import { chooseSocketDirectory, PodDirectory, podsDirectory } from "./pod-directory.ts";
import { type PodRecord, parseRecord } from "./pod-record.ts";
import { identifyProcess, type ProcessIdentity } from "./process-identity.ts";

const STAGING_NAME = /^\.new-(\d+)-(\d+)-[0-9a-f]+$/;

/** A pod's directory while it is made, out of sight of other callers. */
export interface Staging {
  readonly directory: PodDirectory;
  /** lock of the pod, its file open and not locked yet */
  readonly lock: FileLock;
}

/** Something could not be done in the state directory. */
export function storeError(what: string, error: unknown): HuskError {
  return new HuskError("ERR_STORE", `${what}: ${messageOf(error)}`, { cause: error });
}

/** Who made a directory of such a name; undefined: it is of another kind. */
export function makerOf(name: string): ProcessIdentity | undefined {
  const [, pid, startTime] = STAGING_NAME.exec(name) ?? [];
  return pid && startTime ? { pid: Number(pid), startTime } : undefined;
}

function hiddenPath(pods: string): string {
  const me = identifyProcess(process.pid);
  const suffix = randomBytes(4).toString("hex");
  return join(pods, `.new-${process.pid}-${me?.startTime ?? 0}-${suffix}`);
}

/**
 * Makes the directory of a new pod under a hidden name that tells its maker, so that others can see when it is a dead
 * one's.
 * @throws HuskError ERR_STORE
 */
export function makeStaging(root: string): Staging {
  const pods = podsDirectory(root);
  const path = hiddenPath(pods);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // The pod's final path is not longer than the longest id, which decides where the sockets are.
    const directory = new PodDirectory(path, chooseSocketDirectory(join(pods, "x".repeat(64))));
    return { directory, lock: new FileLock(openLockFile(directory.file("lock"))) };
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw storeError(`cannot make a directory for the pod in ${pods}`, error);
  }
}

/** Removes a staging directory that is not needed any more; its lock file must be closed by its owner. */
export function discardStaging(directory: PodDirectory): void {
  // The record, which names the sockets' directory, goes last.
  if (directory.socketPath !== directory.path) rmSync(directory.socketPath, { recursive: true, force: true });
  rmSync(directory.path, { recursive: true, force: true });
}

/** A staged pod that was another process's, with what that has stored of it. */
export interface ClaimedStaging extends Staging {
  readonly record: PodRecord;
}

/**
 * Takes a staged pod over from who made it, by giving it a name of ours. Of several who try, one succeeds. All that can go wrong does
 * so before: what cannot be taken stays its maker's.
 * @param path its directory, as its maker has named it
 * @param check throws when it is not what is wanted
 * @returns undefined: another has it, or it is gone
 * @throws HuskError ERR_STORE, ERR_STATE_CORRUPT, ERR_STATE_VERSION, and what `check` throws
 */
export function claimStaging(
  path: string,
  root: string,
  check: (record: PodRecord) => void = () => {},
): ClaimedStaging | undefined {
  const pods = podsDirectory(root);
  if (dirname(path) !== pods || !makerOf(basename(path)))
    throw new HuskError("ERR_STORE", `${path} is no pod that waits in ${pods}`);
  try {
    const theirs = new PodDirectory(path);
    const file = theirs.file("record");
    const text = readFileSync(file, "utf8");
    const record = parseRecord(text, file, idIn(text));
    check(record);
    const mine = new PodDirectory(hiddenPath(pods), record.socketDirectory);
    return { directory: mine, record, lock: moveWithLock(theirs, mine) };
  } catch (error) {
    if (error instanceof HuskError) throw error;
    if (systemCode(error) === "ENOENT" && !existsSync(path)) return undefined;
    throw storeError(`cannot take ${path}`, error);
  }
}

function moveWithLock(from: PodDirectory, to: PodDirectory): FileLock {
  const lock = new FileLock(openLockFile(from.file("lock")));
  try {
    renameSync(from.path, to.path);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The id that a record says its pod has: a hidden one has no name that it must be. */
export function idIn(text: string): string {
  try {
    return String(JSON.parse(text).config.id);
  } catch {
    return "";
  }
}

/**
 * Puts a staged pod of ours out of everybody's reach, to be ended and removed.
 * @returns where it is now; undefined: somebody has claimed it
 * @throws HuskError ERR_STORE
 */
export function buryStaging(directory: PodDirectory): PodDirectory | undefined {
  return moveStaging(directory, join(dirname(directory.path), `.gone-${randomBytes(6).toString("hex")}`));
}

/**
 * Gives a staged pod of ours another hidden name: who was told the old one cannot claim it any more.
 * @returns where it is now; undefined: somebody has claimed it
 * @throws HuskError ERR_STORE
 */
export function hideStaging(directory: PodDirectory): PodDirectory | undefined {
  return moveStaging(directory, hiddenPath(dirname(directory.path)));
}

function moveStaging({ path, socketPath }: PodDirectory, to: string): PodDirectory | undefined {
  try {
    renameSync(path, to);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw storeError(`cannot rename ${path}`, error);
  }
  return new PodDirectory(to, socketPath === path ? undefined : socketPath);
}
