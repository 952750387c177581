import { pauseContainer, pausePod } from "@husk/virtcontainers";
import type { Command } from "commander";
import { splitName } from "../exec-in-container.ts";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

const HELP = `
The VM stands still as it is: nothing in it runs, its memory stays. What needs the guest (husk exec, husk top) is refused until
husk resume; husk stop and husk rm -f work.

Of a single container, POD/CONTAINER, the processes stand still and the rest of the pod goes on; this needs the Kata agent (husk
run: --agent kata).

Examples:
  husk pause web
  husk pause $(husk ps -q)
  husk pause web/db`;

/** Adds `husk pause`. */
export function addPauseCommand(program: Command, context: CommandContext): void {
  program
    .command("pause")
    .summary("freeze pods or containers")
    .description("Freezes running pods, or single containers.")
    .argument("<name...>", "pods, or single containers: POD/CONTAINER")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[]) => context.exitWith(await forEachName(names, pauseOne)));
}

async function pauseOne(name: string): Promise<void> {
  const { podId, containerId } = splitName(name);
  await (name.includes("/") ? pauseContainer(podId, containerId) : pausePod(podId));
}
