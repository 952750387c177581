import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { HuskError, isHuskError, systemCode } from "../errors/index.ts";
import { runMkfs } from "../storage/mkfs.ts";
import type { DriveRecord } from "../store/pod-record.ts";
import { identifyProcess, isProcessAlive } from "../store/process-identity.ts";
import { storeError } from "../store/staging.ts";
import { REHEARSAL_PROGRAM, rehearsalProgram } from "./rehearsal-program.ts";

/**
 * Bytes that the disk has to the guest, 1 TiB, of which next to nothing is there. The guest looks at its size once, and later
 * has the disks of pods in its place, none of which may be larger than that.
 */
const SEEN_BYTES = 2 ** 40;
/** Directory in which one is made: the name of the disk, and its maker. */
const UNFINISHED = /^placeholder(?:-[0-9a-f]{16})?\.(\d+)-(\d+)-[0-9a-f]{8}$/;

/**
 * Makes the disk that a VM has until it gets a pod's own, unless it is there: an image with a program to rehearse with. On a
 * host that cannot pack one it is empty, and nothing is rehearsed.
 * @returns its path
 * @throws HuskError ERR_STORE, ERR_ABORTED
 */
export async function makePlaceholder(path: string, signal?: AbortSignal | undefined): Promise<string> {
  try {
    if (!isThere(path)) await packPlaceholder(path, signal);
    return path;
  } catch (error) {
    throw error instanceof HuskError ? error : storeError(`cannot make ${path}`, error);
  }
}

async function packPlaceholder(path: string, signal: AbortSignal | undefined): Promise<void> {
  clearUnfinishedPlaceholders(dirname(path));
  const me = identifyProcess(process.pid);
  const folder = `${path}.${process.pid}-${me?.startTime ?? 0}-${randomBytes(4).toString("hex")}`;
  mkdirSync(folder, { mode: 0o700 });
  try {
    const image = join(folder, "image");
    await packProgram(image, join(folder, "root"), signal).catch((error: unknown) => {
      if (!isHuskError(error, "ERR_ROOTFS_BUILD")) throw error;
      writeFileSync(image, "");
    });
    chmodSync(image, 0o600);
    truncateSync(image, SEEN_BYTES);
    renameSync(image, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes what processes have left in a directory that were killed while they made such a disk. */
export function clearUnfinishedPlaceholders(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, pid, startTime] = UNFINISHED.exec(name) ?? [];
    if (pid && startTime && !isProcessAlive({ pid: Number(pid), startTime }))
      removeQuietly(join(directory, name));
  }
}

/** What cannot be removed, or is just removed by another, keeps nobody from making his own. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next one tries again.
  }
}

function isThere(path: string): boolean {
  try {
    return statSync(path).size === SEEN_BYTES;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function packProgram(image: string, root: string, signal: AbortSignal | undefined): Promise<void> {
  mkdirSync(root);
  chmodSync(root, 0o755);
  writeFileSync(join(root, REHEARSAL_PROGRAM), rehearsalProgram());
  chmodSync(join(root, REHEARSAL_PROGRAM), 0o755);
  await runMkfs(image, root, signal);
}

/** Whether a disk can be where the guest has seen the placeholder: it cannot be written to, and is not larger. */
export function canReplacePlaceholder({
  imagePath,
  readOnly = true,
}: Pick<DriveRecord, "imagePath" | "readOnly">): boolean {
  if (!readOnly) return false;
  const stats = statSync(imagePath, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= SEEN_BYTES;
}
