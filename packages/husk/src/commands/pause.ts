import { pausePod } from "@husk/virtcontainers";
import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

const HELP = `
The VM stands still as it is: nothing in it runs, its memory stays. What needs the guest (husk exec, husk top) is refused until
husk resume; husk stop and husk rm -f work.

Examples:
  husk pause web
  husk pause $(husk ps -q)`;

/** Adds `husk pause`. */
export function addPauseCommand(program: Command, context: CommandContext): void {
  program
    .command("pause")
    .summary("freeze pods")
    .description("Freezes running pods.")
    .argument("<name...>", "the pods")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[]) => context.exitWith(await forEachName(names, (name) => pausePod(name))));
}
