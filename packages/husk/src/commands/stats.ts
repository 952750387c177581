import type { Command } from "commander";
import { parsePositive } from "../options/numbers.ts";
import { type StatsOptions, showStats } from "../show-stats.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
Without names: all running pods whose agent measures containers (husk run: --agent kata). CPU % is of one processor. VM CPU %
and VM MEMORY are what the pod's VM costs the host, QEMU with it; the other columns are what the guest counts. With --json, the
counters as they are; times are in microseconds, sizes in bytes.

Examples:
  husk stats
  husk stats --no-stream web db
  husk stats --json web`;

/** Adds `husk stats`. */
export function addStatsCommand(program: Command, context: CommandContext): void {
  program
    .command("stats")
    .summary("show what containers and their VMs use")
    .description("Shows what the containers of running pods use, again and again.")
    .argument("[name...]", "the pods")
    .option("--no-stream", "show it once")
    .option("--interval <SECONDS>", "seconds between two looks (default: 2)", parsePositive)
    .option("--json", "print an array of JSON objects, once")
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (names: string[], options: StatsOptions) =>
      context.exitWith(await showStats(names, options)),
    );
}
