import { resumeContainer, resumePod } from "@husk/virtcontainers";
import type { Command } from "commander";
import { splitName } from "../exec-in-container.ts";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

const HELP = `
Examples:
  husk resume web
  husk resume web/db`;

/** Adds `husk resume`. */
export function addResumeCommand(program: Command, context: CommandContext): void {
  program
    .command("resume")
    .summary("let frozen pods or containers go on")
    .description("Lets paused pods, or single containers, go on where they were.")
    .argument("<name...>", "pods, or single containers: POD/CONTAINER")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[]) => context.exitWith(await forEachName(names, resumeOne)));
}

async function resumeOne(name: string): Promise<void> {
  const { podId, containerId } = splitName(name);
  await (name.includes("/") ? resumeContainer(podId, containerId) : resumePod(podId));
}
