import { HuskError } from "@husk/virtcontainers";
import { mergeEnvironments } from "./environment.ts";
import { splitWords } from "./split-words.ts";
import { readStartupFile, type StartupEntry } from "./startup-file.ts";

/** What the caller says of a command. */
export interface CommandRequest {
  readonly entrypoint: string | readonly string[];
  readonly env: readonly string[];
  readonly cwd?: string | undefined;
}

/** A command as it is executed. */
export interface Command {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}

/**
 * Splits what the caller says, before anything is made for it.
 * @returns no words: the root file system is to say
 * @throws HuskError ERR_ENTRYPOINT_INVALID, ERR_CONFIG_INVALID
 */
export function readRequest({
  entrypoint,
  env,
  cwd,
}: CommandRequest): CommandRequest & { entrypoint: string[] } {
  mergeEnvironments(env);
  if (cwd !== undefined) checkDirectory(cwd);
  const words = typeof entrypoint === "string" ? splitWords(entrypoint) : [...entrypoint];
  // A line of blanks or of a comment alone is meant as one, and is none.
  if (words.length === 0 && entrypoint.length > 0)
    throw noCommand(`${JSON.stringify(entrypoint)} has no words`);
  if (words.length > 0) checkWords(words);
  return { entrypoint: words, env, cwd };
}

/**
 * Finds the command of a container: what the caller says, else what the root file system does.
 * @throws HuskError ERR_ENTRYPOINT_INVALID, ERR_CONFIG_INVALID
 */
export function findCommand(request: CommandRequest, root: string): Command {
  const { entrypoint, env, cwd } = readRequest(request);
  const startup: StartupEntry = readStartupFile(root) ?? { env: [] };
  const args = entrypoint.length > 0 ? entrypoint : startup.args;
  if (!args) throw noCommand("there is no entrypoint, and no .startup.toml that names a program");
  checkWords(args);
  const directory = cwd ?? startup.cwd ?? "/";
  checkDirectory(directory);
  return { args, env: mergeEnvironments(startup.env, env), cwd: directory };
}

/** @throws HuskError ERR_ENTRYPOINT_INVALID */
export function checkWords(words: readonly unknown[]): asserts words is readonly string[] {
  if (!words.every((word) => typeof word === "string")) throw noCommand("a word of it is no text");
  if (words.some((word) => word.includes("\0"))) throw noCommand("a word of it holds a NUL character");
  if (words.length === 0) throw noCommand("it has no words");
  if (words[0] === "") throw noCommand("its first word, the program, is empty");
}

/** @throws HuskError ERR_CONFIG_INVALID */
function checkDirectory(cwd: string): void {
  if (typeof cwd === "string" && cwd.startsWith("/") && !cwd.includes("\0") && cwd.length < 4096) return;
  const shown = JSON.stringify(String(cwd).slice(0, 80));
  throw new HuskError("ERR_CONFIG_INVALID", `cwd: ${shown} is no absolute path`);
}

function noCommand(why: string): HuskError {
  return new HuskError("ERR_ENTRYPOINT_INVALID", `no command to run: ${why}`);
}
