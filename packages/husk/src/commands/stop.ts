import { stopPod } from "@husk/virtcontainers";
import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

const HELP = `
The commands in the pod are asked to end, then made to; after that the VM is powered off. The pod stays listed (husk ps -a)
until husk rm.

Examples:
  husk stop web
  husk stop $(husk ps -q)`;

/** Adds `husk stop`. */
export function addStopCommand(program: Command, context: CommandContext): void {
  program
    .command("stop")
    .summary("stop pods")
    .description("Stops pods: their commands first, then their VM.")
    .argument("<name...>", "the pods")
    .option("--if-ended", "only if all commands in the pod have ended")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[], { ifEnded }: { ifEnded?: boolean }) =>
      context.exitWith(await forEachName(names, (name) => stopPod(name, { ifEnded }))),
    );
}
