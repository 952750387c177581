import { resolve } from "node:path";
import { stateDirectory } from "@husk/virtcontainers";
import { Command, CommanderError, Option } from "commander";
import { VERSION } from "../version.ts";
import { addCreateCommand } from "./commands/create.ts";
import { addDeleteCommand } from "./commands/delete.ts";
import { addExecCommand } from "./commands/exec.ts";
import { addKillCommand } from "./commands/kill.ts";
import { addStartCommand } from "./commands/start.ts";
import { addStateCommand } from "./commands/state.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import { type LogFormat, RuntimeLog } from "./runtime-log.ts";

/** Exit status when a command fails, as runc's. */
const FAILURE = 1;

/** The options before the command. */
interface GlobalOptions {
  root?: string;
  log?: string;
  logFormat: LogFormat;
}

/**
 * Does what the command line says; what goes wrong is told in the log.
 * @returns the exit status
 */
export async function runRuntime(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = new Command("husk-vm-runtime")
    .description("Runs containers of OCI bundles in VMs, by the command line of runc.")
    .version(`husk-vm-runtime ${VERSION}`, "-v, --version")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError() {} })
    .option("--root <DIR>", "state directory (default: husk's)")
    .option("--log <FILE>", "append errors to this file, not to stderr")
    .addOption(
      new Option("--log-format <FORMAT>", "form of the log").choices(["text", "json"]).default("text"),
    );
  const logOf = ({ log, logFormat }: GlobalOptions) => new RuntimeLog(log, logFormat);
  /** Known when the command's action is called. */
  const context = (): RuntimeContext => {
    const options: GlobalOptions = program.opts();
    const log = logOf(options);
    const root = resolve(options.root ?? stateDirectory());
    return {
      options: { root, onWarning: (warning) => log.warn(warning) },
      log,
      exitWith: (value) => {
        status = value;
      },
    };
  };
  addCreateCommand(program, context);
  addStartCommand(program, context);
  addKillCommand(program, context);
  addExecCommand(program, context);
  addDeleteCommand(program, context);
  addStateCommand(program, context);
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    logOf(program.opts()).error(error);
    return FAILURE;
  }
}
