// Makes a fresh clone ready: Debian packages, npm packages, then everything that is built. Plain JavaScript
// for the Node that Debian's users have (20), as it runs before anything is installed. What is done already
// is skipped.
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isBuilt, runBuild } from "./setup/builds.mjs";
import { findMissingPackages, getRootAccess, installPackages } from "./setup/debian-packages.mjs";
import { SetupError } from "./setup/errors.mjs";
import { withLock } from "./setup/lock.mjs";
import { areNpmPackagesInstalled, installNpmPackages } from "./setup/npm-packages.mjs";
import { runStep } from "./setup/progress.mjs";

const root = resolve(fileURLToPath(import.meta.url), "../..");

/**
 * Does what is missing. The checks are made again under the lock, for the one who waited while another did it
 * all.
 *
 * @param {number} lock
 */
async function setUp(lock) {
  if (isSetUp()) return;
  const started = performance.now();
  const missing = findMissingPackages();
  if (missing.length > 0) {
    const asRoot = getRootAccess(missing);
    const names = missing.map(({ name }) => name).join(", ");
    await runStep(`installing Debian packages: ${names}`, () => installPackages(missing, asRoot, lock));
  }
  if (!areNpmPackagesInstalled(root)) {
    await runStep("installing npm packages", () => installNpmPackages(root, lock));
  }
  if (!isBuilt(root)) await runBuild(root, lock);
  process.stderr.write(`husk: set up in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

function isSetUp() {
  return findMissingPackages().length === 0 && areNpmPackagesInstalled(root) && isBuilt(root);
}

try {
  if (!isSetUp()) await withLock(join(root, "build", "setup.lock"), setUp);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`husk: ${error.message}\n`);
  if (error.output) process.stderr.write(`${error.output.replaceAll(/^/gm, "  ")}\n`);
  if (error.hint) process.stderr.write(`husk: hint: ${error.hint}\n`);
  process.exitCode = 1;
}
