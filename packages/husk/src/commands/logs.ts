import type { Command } from "commander";
import { type LogsOptions, parseSince, parseTail } from "../options/log-options.ts";
import { showLogs } from "../show-logs.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
NAME is a pod that husk run -d has made; a container of a pod with several is POD/CONTAINER. What came from the command's stdout goes to
stdout, what came from its stderr to stderr. The log is kept until the pod is deleted, and the oldest of it is thrown away when it grows
too long (husk run: --log-max-size, --log-max-files). With -f, husk logs ends when the command has ended.

Examples:
  husk logs web
  husk logs -f --tail 10 web
  husk logs -t --since 10m --stderr web
  husk logs --json web/db`;

/** Adds `husk logs`. */
export function addLogsCommand(program: Command, context: CommandContext): void {
  program
    .command("logs")
    .summary("print the output of a detached command")
    .description("Prints what a command has written that was started with husk run -d.")
    .argument("<name>", "the pod, or POD/CONTAINER")
    .option("-f, --follow", "go on with what comes until the command has ended")
    .option("-t, --timestamps", "print before each line when it came")
    .option("--since <TIME>", "leave out what is older: 10m, 2026-01-31T12:00:00Z", (text) =>
      parseSince(text),
    )
    .option("-n, --tail <N>", "begin with the last N lines (default: all)", parseTail)
    .option("--stdout", "only what came from stdout")
    .option("--stderr", "only what came from stderr")
    .option("--json", "print each entry as a JSON object on a line")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (name: string, options: LogsOptions) => context.exitWith(await showLogs(name, options)));
}
