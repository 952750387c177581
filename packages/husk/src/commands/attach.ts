import type { Command } from "commander";
import { type AttachOptions, attachToContainer } from "../attach-to-container.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
NAME is a pod that husk run -d has made; a container of a pod with several is POD/CONTAINER. Shown is what comes from now on; what
came before is in the log (husk logs). Any number of husk attach may be tied to one command, and none of them can hold it up: one that does
not read what comes is sent away.

Input goes to a command that was started with -i. At a terminal, for a command that was started with -it, Ctrl-P Ctrl-Q leaves it
alone again. Without -t, signals (Ctrl-C, too) are passed on to the command unless there is --no-sig-proxy.

Exit status: the command's own, as of husk run; 0 after Ctrl-P Ctrl-Q.

Examples:
  husk attach web
  husk attach --no-stdin --no-sig-proxy web`;

/** Adds `husk attach`. */
export function addAttachCommand(program: Command, context: CommandContext): void {
  program
    .command("attach")
    .summary("tie the terminal to a detached command")
    .description("Ties husk's input and output to a command that was started with husk run -d.")
    .argument("<name>", "the pod, or POD/CONTAINER")
    .option("--no-stdin", "do not pass stdin on")
    .option("--sig-proxy", "pass signals on (default, unless the command has a terminal)")
    .option("--no-sig-proxy", "signals end husk attach alone, and the command goes on")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (name: string, options: AttachOptions) =>
      context.exitWith(await attachToContainer(name, options)),
    );
}
