import { deletePod, HuskError, statusPod } from "@husk/virtcontainers";
import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

interface RmOptions {
  force?: boolean;
  ifEnded?: boolean;
}

const HELP = `
Examples:
  husk rm web
  husk rm -f web
  husk rm $(husk ps -aq)`;

/** Adds `husk rm`. */
export function addRmCommand(program: Command, context: CommandContext): void {
  program
    .command("rm")
    .summary("delete pods")
    .description("Deletes pods that are stopped or whose commands have ended, and with -f running ones, too.")
    .argument("<name...>", "the pods")
    .option("-f, --force", "stop a running pod first; a pod that does not exist is no error")
    .option(
      "--if-ended",
      "wait for who is busy with the pod, and then do it only if all commands in it have ended",
    )
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[], options: RmOptions) => {
      context.exitWith(await forEachName(names, (name) => removePod(name, options)));
    });
}

async function removePod(name: string, { force = false, ifEnded }: RmOptions): Promise<void> {
  if (!force && !ifEnded) await refuseRunning(name);
  try {
    await deletePod(name, { ifEnded });
  } catch (error) {
    if (!(force && error instanceof HuskError && error.code === "ERR_POD_NOT_FOUND")) throw error;
  }
}

async function refuseRunning(name: string): Promise<void> {
  const { state, containersStatus } = await statusPod(name);
  if (state !== "running" && state !== "paused") return;
  // The VM of a detached command may take a moment longer than the command.
  if (containersStatus.length > 0 && containersStatus.every(({ state }) => state === "stopped")) return;
  const hint = `stop it first (husk stop ${name}), or use husk rm -f`;
  throw new HuskError("ERR_STATE_INVALID", `pod ${name} is ${state}`, { hint, podId: name });
}
