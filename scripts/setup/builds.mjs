import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./errors.mjs";
import { fingerprint } from "./fingerprint.mjs";

/**
 * All that anything is built of. Each step of the build has its own narrower key; this one says "nothing to
 * do" at once.
 */
const SOURCES = ["packages", "scripts/build.ts", "scripts/build", "package-lock.json"];

/** What a whole build leaves, relative to the repository's root. */
const OUTPUTS = [
  "build/guest/agent",
  "build/guest/vmlinux",
  "build/guest/initramfs.cpio",
  "build/rootfs/busybox/bin/busybox",
  "build/husk.cjs",
];

const STAMP = "build/stamps/all";

/**
 * Tells whether everything is built of the sources as they are.
 *
 * @param {string} root
 */
export function isBuilt(root) {
  return (
    OUTPUTS.every((path) => existsSync(join(root, path))) && readStamp(root) === fingerprint(root, SOURCES)
  );
}

/**
 * Builds what has changed, in the Node that npm has installed; that one runs TypeScript.
 *
 * @param {string} root
 * @param {number} lock the set-up's lock, for the build to hold as well
 */
export async function runBuild(root, lock) {
  // Taken before the build: a source that changes meanwhile is built the next time.
  const key = fingerprint(root, SOURCES);
  const code = await new Promise((settle, fail) => {
    const child = spawn(join(root, "node_modules/.bin/node"), [join(root, "scripts/build.ts")], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit", lock],
    });
    child.on("error", (error) => fail(new SetupError(`could not start the build: ${error.message}`)));
    child.on("close", settle);
  });
  // The build has said itself what went wrong.
  if (code !== 0) throw new SetupError("the set-up is not complete");
  mkdirSync(join(root, "build/stamps"), { recursive: true });
  writeFileSync(join(root, `${STAMP}.new`), key);
  renameSync(join(root, `${STAMP}.new`), join(root, STAMP));
}

/** @param {string} root */
function readStamp(root) {
  const path = join(root, STAMP);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
