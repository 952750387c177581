import type { Command } from "commander";
import { type ExecOptions, execInContainer } from "../exec-in-container.ts";
import { commandAfterName } from "../options/command-arguments.ts";
import { addProcessOptions } from "../options/process-options.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
NAME is a pod that husk run has made; a container of a pod with several is POD/CONTAINER.

Exit status: the command's own, 128+N when signal N ended it; 126 when it cannot be executed, 127 when there is no such
command; 125 when husk itself fails, be it for a wrong option.

Examples:
  husk exec web -- ps
  husk exec -it web -- sh
  husk exec -d web -- sh -c 'kill -HUP 1'
  husk exec -u nobody -w /tmp -e DEBUG=1 web -- ./check`;

/** Adds `husk exec`. */
export function addExecCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("exec")
    .summary("run one more command in a running container")
    .description("Runs one more command in a running container.")
    .usage("[options] NAME -- CMD ARG…")
    .argument("<name>", "the pod, or POD/CONTAINER")
    .argument("[command...]", "the command and its arguments")
    .passThroughOptions();
  addProcessOptions(command)
    .option("-d, --detach", "do not wait for the command; its output is thrown away")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (name: string, rest: string[], options: ExecOptions) => {
      context.exitWith(await execInContainer(name, commandAfterName(rest), options));
    });
}
