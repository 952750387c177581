import { chmod, chown, lchown, lutimes, utimes } from "node:fs/promises";

/** Whether files can be given to others, and devices be made. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Whose a file is, what may be done with it, and when it was changed. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** seconds since 1970 */
  readonly mtime: number;
}

/** Sets what a file or directory is to have; the path must not be a symbolic link. */
export async function setAttributes(path: string, { mode, uid, gid, mtime }: Attributes): Promise<void> {
  // A change of owner takes setuid and setgid away, so the mode comes after it.
  if (isRoot()) await chown(path, uid, gid);
  await chmod(path, mode);
  await utimes(path, mtime, mtime);
}

/** The same for a symbolic link, which has no mode of its own. */
export async function setLinkAttributes(path: string, { uid, gid, mtime }: Attributes): Promise<void> {
  if (isRoot()) await lchown(path, uid, gid);
  await lutimes(path, mtime, mtime);
}
