import type { Command } from "commander";
import { VERSION } from "../version.ts";

/** Adds `husk version`. */
export function addVersionCommand(program: Command): void {
  program
    .command("version")
    .summary("print husk's version")
    .description("Prints husk's version and that of the Node it runs on.")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExamples:\n  husk version\n  husk version --json")
    .action(({ json }: { json?: boolean }) => {
      const node = process.versions.node;
      process.stdout.write(
        json ? `${JSON.stringify({ husk: VERSION, node })}\n` : `husk ${VERSION} (node ${node})\n`,
      );
    });
}
