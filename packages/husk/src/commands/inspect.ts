import { statusPod } from "@husk/virtcontainers";
import type { Command } from "commander";
import { renderPodDetails } from "../output/pod-details.ts";

const HELP = `
Examples:
  husk inspect web
  husk inspect --json web`;

/** Adds `husk inspect`. */
export function addInspectCommand(program: Command): void {
  program
    .command("inspect")
    .summary("tell all about a pod")
    .description("Tells all that is known about a pod and its containers.")
    .argument("<name>", "the pod")
    .option("--json", "print a JSON object")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (name: string, { json }: { json?: boolean }) => {
      const pod = await statusPod(name);
      process.stdout.write(json ? `${JSON.stringify(pod, null, 2)}\n` : renderPodDetails(pod, new Date()));
    });
}
