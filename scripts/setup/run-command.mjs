import { spawn } from "node:child_process";
import { SetupError } from "./errors.mjs";

const KEPT_BYTES = 64 * 1024;
/** npm says what is wrong first, apt last, compilers anywhere: keep both ends */
const FIRST_LINES = 6;
const LAST_LINES = 14;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] working directory
 * @property {Record<string, string>} [env] variables besides those of this process
 * @property {string} [hint] what the user can do when the command fails
 * @property {number} [timeoutMs] time it may take, in ms
 * @property {number} [lock] an open file that the command inherits, to hold the lock on it
 */

/**
 * Runs a command without a shell, quietly: what it says is shown only when it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @throws {SetupError} when it cannot start, fails, or takes longer than `timeoutMs`
 */
export async function runCommand(command, args, { cwd, env, hint = "", timeoutMs = 30 * 60_000, lock } = {}) {
  let output = "";
  /** @type {string} */
  const failure = await new Promise((settle) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe", lock ?? "ignore"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        output = (output + chunk).slice(-KEPT_BYTES);
      });
    }
    child.on("error", (error) => settle(`could not be started: ${error.message}`));
    child.on("close", (code, signal) => {
      if (code === 0) settle("");
      else settle(signal ? `was ended by ${signal}` : `failed with status ${code}`);
    });
  });
  if (failure === "") return;
  throw new SetupError(`${[command, ...args].join(" ")} ${failure}`, { hint, output: shorten(output) });
}

/** @param {string} output */
function shorten(output) {
  const lines = output.trimEnd().split("\n");
  if (lines.length <= FIRST_LINES + LAST_LINES) return lines.join("\n");
  return [...lines.slice(0, FIRST_LINES), "…", ...lines.slice(-LAST_LINES)].join("\n");
}
