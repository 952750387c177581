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
      // One that has ended is created anew, by who has its streams.
      await startContainer(id, id, { ...context().options, ifPrepared: true });
    });
}
