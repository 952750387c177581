import { statusPod } from "@husk/virtcontainers";
import type { Command } from "commander";
import { ociState } from "../oci-state.ts";
import type { RuntimeContext } from "../runtime-context.ts";

/** Adds `state`. */
export function addStateCommand(program: Command, context: () => RuntimeContext): void {
  program
    .command("state")
    .description("Prints the state of a container as JSON, by the OCI runtime specification.")
    .argument("<id>", "of the container")
    .action(async (id: string) => {
      const status = await statusPod(id, context().options);
      process.stdout.write(`${JSON.stringify(ociState(status), null, 2)}\n`);
    });
}
