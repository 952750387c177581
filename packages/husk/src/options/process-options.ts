import type { Cmd, EnvVar } from "@husk/virtcontainers";
import type { Command } from "commander";
import { UsageError } from "../usage-error.ts";
import { collect } from "./collect.ts";

/** The options that say how a process is run; `run` and `exec` have them both. */
export interface ProcessOptions {
  /** pass stdin on */
  interactive?: boolean;
  /** give the process a terminal */
  tty?: boolean;
  /** `NAME=VALUE`, or `NAME` to take husk's own value */
  env?: string[];
  /** working directory in the container */
  workdir?: string;
  /** `USER[:GROUP]`, names or numbers */
  user?: string;
}

/** search path of a process that is given none */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Adds the options of `ProcessOptions` to a command. */
export function addProcessOptions(command: Command): Command {
  return command
    .option("-i, --interactive", "pass stdin to the command")
    .option("-t, --tty", "give the command a terminal (stdin must be one, too)")
    .option("-e, --env <NAME=VALUE>", "set an environment variable; NAME alone takes husk's value", collect)
    .option("-w, --workdir <DIR>", "working directory in the container (default: /)")
    .option("-u, --user <USER[:GROUP]>", "run as this user, by name or number (default: root)");
}

/**
 * Makes the library's command out of what was typed.
 *
 * @throws UsageError when there is no command, or an option's value has the wrong form
 */
export function makeCmd(args: readonly string[], options: ProcessOptions, env: NodeJS.ProcessEnv): Cmd {
  if (args.length === 0) throw new UsageError("no command given", "put it last: … -- CMD ARG…");
  const cmd: Cmd = { args: [...args], envs: makeEnvironment(options, env) };
  if (options.tty) cmd.interactive = true;
  if (options.workdir !== undefined) cmd.workDir = checkWorkDir(options.workdir);
  if (options.user !== undefined) Object.assign(cmd, splitUser(options.user));
  return cmd;
}

/** The defaults, with the user's variables over them; the last one of a name wins. */
function makeEnvironment(options: ProcessOptions, env: NodeJS.ProcessEnv): EnvVar[] {
  const values = new Map([["PATH", DEFAULT_PATH]]);
  if (options.tty) values.set("TERM", env.TERM || "xterm");
  for (const text of options.env ?? []) {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === "")
      throw new UsageError(`environment variable without a name: ${text}`, "write -e NAME=VALUE");
    const value = equals < 0 ? env[name] : text.slice(equals + 1);
    if (value !== undefined) values.set(name, value);
  }
  return [...values].map(([name, value]) => ({ var: name, value }));
}

function checkWorkDir(path: string): string {
  if (!path.startsWith("/"))
    throw new UsageError(`working directory is not absolute: ${path}`, "begin it with /");
  return path;
}

function splitUser(text: string): Pick<Cmd, "user" | "primaryGroup"> {
  const [user = "", group, ...more] = text.split(":");
  if (user === "" || group === "" || more.length > 0) {
    throw new UsageError(`not a user: ${text}`, "write USER or USER:GROUP, names or numbers");
  }
  return group === undefined ? { user } : { user, primaryGroup: group };
}
