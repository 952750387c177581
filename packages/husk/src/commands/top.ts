import { processListContainer } from "@husk/virtcontainers";
import type { Command } from "commander";
import { splitName } from "../exec-in-container.ts";
import { commandAfterName } from "../options/command-arguments.ts";

const HELP = `
NAME is a pod that husk run has made; a container of a pod with several is POD/CONTAINER. The processes are numbered as in
the pod. PS-OPTION are options of ps for the columns of the table; default: -ef.

Examples:
  husk top web
  husk top web -- -o pid,user,args
  husk top --json web/db`;

const USAGE = "husk top [options] NAME -- PS-OPTION…";

/** Adds `husk top`. */
export function addTopCommand(program: Command): void {
  program
    .command("top")
    .summary("list the processes of a container")
    .description("Lists the processes of a running container.")
    .usage("[options] NAME [-- PS-OPTION…]")
    .argument("<name>", "the pod, or POD/CONTAINER")
    .argument("[ps-option...]", "options of ps")
    .passThroughOptions()
    .option("--json", "print an array of process ids")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (name: string, rest: string[], { json }: { json?: boolean }) => {
      const { podId, containerId } = splitName(name);
      const list = { format: json ? "json" : "table", args: commandAfterName(rest, USAGE) } as const;
      const listed = Buffer.from(await processListContainer(podId, containerId, list)).toString();
      process.stdout.write(listed.endsWith("\n") ? listed : `${listed}\n`);
    });
}
