import { copyToContainer } from "@husk/virtcontainers";
import type { Command } from "commander";
import { splitName } from "../exec-in-container.ts";
import { UsageError } from "../usage-error.ts";

const HELP = `
FILE gets into the root file system of the container with its mode and owner; directories that are missing are made. PATH is
absolute; one that ends with / is the directory that FILE gets into. What the container has mounted for itself (volumes, /dev, …)
is not reached. Needs the Kata agent (husk run: --agent kata). Directories, and the way out: tar through husk exec.

Examples:
  husk cp ./site.conf web:/etc/site.conf
  husk cp ./site.conf web/db:/etc/
  tar c dir | husk exec -i web -- tar x -C /srv`;

/** Adds `husk cp`. */
export function addCpCommand(program: Command): void {
  program
    .command("cp")
    .summary("copy a file into a running container")
    .description("Copies a file of the host into a running container.")
    .argument("<file>", "a regular file")
    .argument("<to>", "NAME:PATH, where NAME is the pod, or POD/CONTAINER")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (file: string, to: string) => {
      const { name, path } = splitTarget(to);
      const { podId, containerId } = splitName(name);
      await copyToContainer(podId, containerId, file, path);
    });
}

function splitTarget(to: string): { name: string; path: string } {
  const colon = to.indexOf(":");
  if (colon > 0 && to[colon + 1] === "/") return { name: to.slice(0, colon), path: to.slice(colon + 1) };
  throw new UsageError(
    `not a place in a container: ${to}`,
    "write NAME:/PATH; files are copied only into containers",
  );
}
