import { deletePod, isHuskError } from "@husk/virtcontainers";
import type { Command } from "commander";
import type { RuntimeContext } from "../runtime-context.ts";

/** Adds `delete`. */
export function addDeleteCommand(program: Command, context: () => RuntimeContext): void {
  program
    .command("delete")
    .description("Ends the VM of a container that has ended, and removes all that there is of both.")
    .argument("<id>", "of the container")
    .option("-f, --force", "also of one that runs; one that is not there is no error")
    .action((id: string, options: { force?: boolean }) => remove(id, options, context()));
}

async function remove(id: string, { force = false }: { force?: boolean }, { options }: RuntimeContext) {
  try {
    await deletePod(id, { ...options, ifEnded: !force });
  } catch (error) {
    if (!force || !isHuskError(error, "ERR_POD_NOT_FOUND")) throw error;
  }
}
