import { resumePod } from "@husk/virtcontainers";
import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

const HELP = `
Examples:
  husk resume web`;

/** Adds `husk resume`. */
export function addResumeCommand(program: Command, context: CommandContext): void {
  program
    .command("resume")
    .summary("let frozen pods go on")
    .description("Lets paused pods go on where they were.")
    .argument("<name...>", "the pods")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[]) => context.exitWith(await forEachName(names, (name) => resumePod(name))));
}
