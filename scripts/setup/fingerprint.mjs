import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";

const IGNORED_FOLDERS = new Set(["node_modules", "build-cache", "fixtures"]);
const IGNORED_FILE = /\.test\.ts$|\.md$/;

/**
 * Hashes the names and contents of source files: the same sources always give the same text. Tests are left
 * out, as nothing is built of them.
 *
 * @param {string} root folder that `paths` are in
 * @param {readonly string[]} paths files and folders; one that does not exist counts as empty
 */
export function fingerprint(root, paths) {
  const hash = createHash("sha256");
  for (const path of [...paths].sort()) addToHash(hash, root, path);
  return hash.digest("hex");
}

/**
 * @param {import("node:crypto").Hash} hash
 * @param {string} root
 * @param {string} path
 */
function addToHash(hash, root, path) {
  const full = resolve(root, path);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of readdirSync(full).sort()) {
      if (!IGNORED_FOLDERS.has(name)) addToHash(hash, root, `${path}/${name}`);
    }
  } else if (stat?.isFile() && !IGNORED_FILE.test(path)) {
    const data = readFileSync(full);
    // The lengths keep two files apart whose names and contents would run into each other.
    hash.update(`${path.length}:${path}:${data.length}:`).update(data);
  }
}
