import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Describes all that is in a directory, a line each: what two trees must have in common to be the same. */
export function listTree(root: string): string[] {
  const lines: string[] = [];
  const visit = (path: string) => {
    const stats = lstatSync(join(root, path));
    const { mode, uid, gid, rdev, size } = stats;
    const content = stats.isFile()
      ? `${size} ${createHash("sha256")
          .update(readFileSync(join(root, path)))
          .digest("hex")}`
      : stats.isSymbolicLink()
        ? readlinkSync(join(root, path))
        : rdev;
    const time = Math.floor(stats.mtimeMs / 1000);
    lines.push(`${path || "/"} ${mode.toString(8)} ${uid}:${gid} ${time} ${content}`);
    if (stats.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) visit(join(path, name));
  };
  visit("");
  return lines;
}
