import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./run-command.mjs";

/** Written last, into a folder that npm empties first: it stands only for a whole installation. */
const STAMP = "node_modules/.husk-stamp";

/**
 * Tells whether the npm packages in `root` are those of its lock file.
 *
 * @param {string} root
 */
export function areNpmPackagesInstalled(root) {
  try {
    return readFileSync(join(root, STAMP), "utf8") === hashLock(root);
  } catch {
    return false;
  }
}

/**
 * Installs exactly what the lock file names.
 *
 * @param {string} root
 * @param {number} lock the set-up's lock, for npm to hold as well
 */
export async function installNpmPackages(root, lock) {
  const hash = hashLock(root);
  // Packages for newer versions of Node than the one that runs npm are fine: they run in the Node that is
  // among them.
  await runCommand("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    lock,
    env: { npm_config_engine_strict: "false" },
    hint: "is there a way to the npm registry?",
  });
  writeFileSync(join(root, STAMP), hash);
}

/** @param {string} root */
function hashLock(root) {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}
