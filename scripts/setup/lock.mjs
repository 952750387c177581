import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { SetupError } from "./errors.mjs";

/**
 * Does `work` while no other process does work under the same lock; waits for its turn. The lock is the
 * kernel's (flock), so it ends with this process however that ends. Node has no flock of its own:
 * util-linux's takes it on our open file, where it stays when that program is gone.
 *
 * @param {string} path the lock's file; its folder is made
 * @param {(file: number) => Promise<void>} work gets the lock's open file: a child that inherits it keeps the
 *   lock should this process be killed before the child ends
 */
export async function withLock(path, work) {
  const file = openLock(path);
  try {
    if (!(await flock(file, ["--nonblock"]))) {
      process.stderr.write("husk: waiting for another set-up of this checkout …\n");
      if (!(await flock(file, []))) throw new SetupError(`could not lock ${path}`);
    }
    await work(file);
  } finally {
    closeSync(file);
  }
}

/** @param {string} path */
function openLock(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "a");
  } catch (error) {
    throw new SetupError(`cannot write to ${dirname(path)}: ${/** @type {Error} */ (error).message}`, {
      hint: "does this checkout, with all that earlier set-ups left in it, belong to you?",
    });
  }
}

/**
 * @param {number} file
 * @param {string[]} options
 * @returns {Promise<boolean>} whether the lock is ours now
 */
async function flock(file, options) {
  return new Promise((settle, fail) => {
    const child = spawn("flock", ["--exclusive", ...options, "3"], {
      stdio: ["ignore", "ignore", "inherit", file],
    });
    child.on("error", (error) => fail(new SetupError(`could not run flock: ${error.message}`)));
    child.on("close", (code) => settle(code === 0));
  });
}
