import { startContainer } from "@husk/virtcontainers";
import type { Command } from "commander";
import type { RuntimeContext } from "../runtime-context.ts";

/** Adds `start`. */
export function addStartCommand(program: Command, context: () => RuntimeContext): void {
  program
    .command("start")
    .description("Lets the process of a container begin that was created.")
    .argument("<id>", "of the container")
    .action(async (id: string) => {
      // A pod that has been created, and not started, is not running: nothing else than what is prepared can be started in it.
      await startContainer(id, id, context().options);
    });
}
