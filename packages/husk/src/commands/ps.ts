import { listPod } from "@husk/virtcontainers";
import type { Command } from "commander";
import { newestFirst, renderPods } from "../output/pod-table.ts";

interface PsOptions {
  all?: boolean;
  json?: boolean;
  quiet?: boolean;
}

const HELP = `
Examples:
  husk ps
  husk ps -a --json
  husk rm $(husk ps -aq)`;

/** Adds `husk ps`. */
export function addPsCommand(program: Command): void {
  program
    .command("ps")
    .summary("list pods")
    .description("Lists the pods whose VM runs.")
    .option("-a, --all", "stopped pods, too")
    .option("-q, --quiet", "names only")
    .option("--json", "print an array of JSON objects")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async ({ all, json, quiet }: PsOptions) => {
      const broken: Error[] = [];
      const listed = await listPod({ onBroken: (error) => broken.push(error) });
      const pods = newestFirst(listed).filter((pod) => all || pod.state !== "stopped");
      if (json) process.stdout.write(`${JSON.stringify(pods, null, 2)}\n`);
      else if (quiet) process.stdout.write(pods.map((pod) => `${pod.id}\n`).join(""));
      else process.stdout.write(renderPods(pods, new Date()));
      // The others are told first: one pod's damage is no reason to hide them.
      if (broken[0]) throw broken[0];
    });
}
