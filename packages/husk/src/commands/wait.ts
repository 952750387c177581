import { waitContainer } from "@husk/virtcontainers";
import type { Command } from "commander";
import { splitName } from "../exec-in-container.ts";
import { describeError, renderError } from "../output/error-report.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
Prints an exit status for each name, in the order of the names, a line each; nothing for one that cannot be waited for. husk itself ends
with 0, or with the status of its first error.

Examples:
  husk wait web
  test "$(husk wait build)" = 0 && echo good`;

/** Adds `husk wait`. */
export function addWaitCommand(program: Command, context: CommandContext): void {
  program
    .command("wait")
    .summary("wait until commands have ended")
    .description("Waits until the commands of pods have ended, and prints their exit statuses.")
    .argument("<name...>", "the pods, or POD/CONTAINER")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[]) => context.exitWith(await waitForNames(names)));
}

/** Waits for all at once, so that none goes unseen while another is waited for. */
async function waitForNames(names: readonly string[]): Promise<number> {
  let status = 0;
  const waits = names.map((name) => {
    const { podId, containerId } = splitName(name);
    return waitContainer(podId, containerId);
  });
  for (const wait of waits) wait.catch(() => {});
  for (const wait of waits) {
    try {
      process.stdout.write(`${(await wait).exitCode}\n`);
    } catch (error) {
      const report = describeError(error);
      process.stderr.write(renderError(report));
      status ||= report.exitStatus;
    }
  }
  return status;
}
