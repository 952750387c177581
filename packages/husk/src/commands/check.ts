import type { Command } from "commander";
import { isFit, renderChecks } from "../checks/check-result.ts";
import { checkMachine } from "../checks/machine.ts";
import type { CommandContext } from "./command-context.ts";

/** exit status when something is missing */
const UNFIT = 1;

const HELP = `
Exit status: 0 when pods can run here, 1 when something is missing.

Examples:
  husk check
  husk check --json`;

/** Adds `husk check`. */
export function addCheckCommand(program: Command, context: CommandContext): void {
  program
    .command("check")
    .summary("tell whether this machine is fit for husk")
    .description(
      "Tells whether this machine can run pods, what is missing, and which accelerator is used and why.",
    )
    .option("--json", "print a JSON object")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async ({ json }: { json?: boolean }) => {
      const checks = await checkMachine(process.env);
      const fit = isFit(checks);
      process.stdout.write(json ? `${JSON.stringify({ fit, checks }, null, 2)}\n` : renderChecks(checks));
      context.exitWith(fit ? 0 : UNFIT);
    });
}
