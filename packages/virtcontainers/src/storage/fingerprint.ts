import { createHash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * A hash over the names and the metadata of a tree. Every change of content changes the change time of the file or of its
 * directory, so that the content itself need not be read: a tree of some thousand files takes milliseconds.
 */
export function fingerprintTree(root: string): string {
  const hash = createHash("sha256");
  const visit = (path: string, name: string) => {
    const { mode, uid, gid, size, mtimeMs, ctimeMs, ino, rdev, dev } = lstatSync(path);
    hash.update(`${name}\0${mode} ${uid} ${gid} ${size} ${mtimeMs} ${ctimeMs} ${ino} ${rdev} ${dev}\n`);
    if ((mode & 0o170000) !== 0o040000) return;
    const entries = readdirSync(path).sort();
    for (const entry of entries) visit(join(path, entry), entry);
    hash.update(`${entries.length}\n`);
  };
  visit(root, "");
  return hash.digest("hex");
}
