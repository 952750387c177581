import { Command, CommanderError } from "commander";
import { addAttachCommand } from "./commands/attach.ts";
import { addCacheCommand } from "./commands/cache.ts";
import { addCheckCommand } from "./commands/check.ts";
import type { CommandContext } from "./commands/command-context.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addCpCommand } from "./commands/cp.ts";
import { addExecCommand } from "./commands/exec.ts";
import { addFactoryCommand } from "./commands/factory.ts";
import { addFlistCommand } from "./commands/flist.ts";
import { addInspectCommand } from "./commands/inspect.ts";
import { addLogsCommand } from "./commands/logs.ts";
import { addModuleCommand } from "./commands/module.ts";
import { addNetworkCommand } from "./commands/network.ts";
import { addPauseCommand } from "./commands/pause.ts";
import { addPsCommand } from "./commands/ps.ts";
import { addResumeCommand } from "./commands/resume.ts";
import { addRmCommand } from "./commands/rm.ts";
import { addRunCommand } from "./commands/run.ts";
import { addStatsCommand } from "./commands/stats.ts";
import { addStopCommand } from "./commands/stop.ts";
import { addTopCommand } from "./commands/top.ts";
import { addUpdateCommand } from "./commands/update.ts";
import { addVersionCommand } from "./commands/version.ts";
import { addWaitCommand } from "./commands/wait.ts";
import { describeError, FAILURE, renderError, renderErrorJson, USAGE } from "./output/error-report.ts";
import { VERSION } from "./version.ts";

const HELP = `
Examples:
  husk check
  husk run -it --rm -- sh
  husk ps`;

/** Makes the command line's definition. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("husk")
    .description("Runs containers in small virtual machines.")
    .version(`husk ${VERSION}`, "-V, --version")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError() {} })
    .helpCommand("help [command]", "display help for a command")
    .addHelpText("after", HELP);
  addRunCommand(program, context);
  addExecCommand(program, context);
  addAttachCommand(program, context);
  addLogsCommand(program, context);
  addWaitCommand(program, context);
  addCpCommand(program);
  addTopCommand(program);
  addPsCommand(program);
  addInspectCommand(program);
  addNetworkCommand(program, context);
  addStatsCommand(program, context);
  addUpdateCommand(program);
  addPauseCommand(program, context);
  addResumeCommand(program, context);
  addStopCommand(program, context);
  addRmCommand(program, context);
  addFlistCommand(program, context);
  addModuleCommand(program, context);
  addFactoryCommand(program);
  addCacheCommand(program);
  addCheckCommand(program, context);
  addCompletionCommand(program);
  addVersionCommand(program);
  return program;
}

/**
 * Does what the command line says; errors are printed on stderr.
 *
 * @param args the arguments after the program's name
 * @returns husk's exit status
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram({ exitWith: (value) => (status = value) });
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // Without any command, commander has already printed the help, on stderr.
    if (error instanceof CommanderError && error.code === "commander.help") return USAGE;
    return reportError(error, args);
  }
}

/** Prints an error as asked, and gives the exit status that goes with it. */
function reportError(error: unknown, args: readonly string[]): number {
  const ours = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
  const report = describeError(error);
  process.stderr.write(ours.includes("--json") ? renderErrorJson(report) : renderError(report));
  if (ours.includes("--debug") && error instanceof Error) process.stderr.write(`${describeStack(error)}\n`);
  // The other exit statuses of these are their command's, so that husk must keep to one.
  const command = args[0] === "module" ? args.slice(0, 2).join(" ") : (args[0] ?? "");
  const passesStatus = ["run", "exec", "attach", "module exec"].includes(command);
  return passesStatus && report.exitStatus === USAGE ? FAILURE : report.exitStatus;
}

/** Where an error comes from, with its causes. */
function describeStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${describeStack(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
