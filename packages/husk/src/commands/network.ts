import {
  addInterface,
  checkNetwork,
  type InterfaceRequest,
  listInterfaces,
  removeInterface,
} from "@husk/virtcontainers";
import type { Command } from "commander";
import { renderInterfaces } from "../output/interface-table.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandContext } from "./command-context.ts";
import { forEachName } from "./each-name.ts";

const HELP = `
Examples:
  husk network ls web
  husk network add web green
  husk network rm web eth1`;

const LIST_HELP = `
Examples:
  husk network ls web
  husk network ls --json web`;

const ADD_HELP = `
The pod must have been made with --network cni (or ns=PATH, for --link), and with --slots: each interface takes one.

Examples:
  husk network add web green
  husk network add web --link eth1`;

const REMOVE_HELP = `
Only what husk network add has added can be removed: what was there when the VM started stays as long as the VM.

Examples:
  husk network rm web eth1`;

const CHECK_HELP = `
Exit status: 0 when all is as it was set up, 125 when it is not; the message tells what is wrong.

Examples:
  husk network check web
  husk network check $(husk ps -q)`;

/** Adds `husk network` and its own commands. */
export function addNetworkCommand(program: Command, context: CommandContext): void {
  const group = program
    .command("network")
    .summary("see and change the networks of a pod that runs")
    .description("Lists, adds, removes and checks network interfaces of a pod that has a VM.")
    .addHelpText("after", HELP);
  addListCommand(group);
  addAddCommand(group);
  addRemoveCommand(group);
  addCheckCommand(group, context);
}

function addListCommand(group: Command): void {
  group
    .command("ls")
    .summary("list network interfaces")
    .description("Lists the network interfaces of a pod.")
    .argument("<name>", "the pod")
    .option("--json", "print an array of JSON objects")
    .option("--debug", "show more of errors")
    .addHelpText("after", LIST_HELP)
    .action(async (name: string, { json }: { json?: boolean }) => {
      const interfaces = await listInterfaces(name);
      process.stdout.write(json ? `${JSON.stringify(interfaces, null, 2)}\n` : renderInterfaces(interfaces));
    });
}

function addAddCommand(group: Command): void {
  group
    .command("add")
    .summary("add a network interface")
    .description("Joins one more CNI network, or takes a link that is in the pod's network namespace.")
    .argument("<name>", "the pod")
    .argument("[network]", "the CNI network to join")
    .option("--link <LINK>", "take this link instead")
    .option("--debug", "show more of errors")
    .addHelpText("after", ADD_HELP)
    .action(async (name: string, network: string | undefined, { link }: { link?: string }) => {
      const added = await addInterface(name, makeRequest(network, link));
      process.stdout.write(`${added.name}\n`);
    });
}

function makeRequest(network: string | undefined, link: string | undefined): InterfaceRequest {
  if (network !== undefined && link === undefined) return { network };
  if (network === undefined && link !== undefined) return { link };
  const hint = "husk network add NAME NETWORK, or husk network add NAME --link LINK";
  throw new UsageError("give a network or a link, one of the two", hint);
}

function addRemoveCommand(group: Command): void {
  group
    .command("rm")
    .summary("remove a network interface")
    .description("Takes a network interface out of a pod, and leaves its CNI network.")
    .argument("<name>", "the pod")
    .argument("<interface>", "the interface")
    .option("--debug", "show more of errors")
    .addHelpText("after", REMOVE_HELP)
    .action(async (name: string, interfaceName: string) => {
      const removed = await removeInterface(name, interfaceName);
      process.stdout.write(`${removed.name}\n`);
    });
}

function addCheckCommand(group: Command, context: CommandContext): void {
  group
    .command("check")
    .summary("check that networks are as they were set up")
    .description("Checks the links of pods on the host, and asks CNI plugins whether all is as they left it.")
    .argument("<name...>", "the pods")
    .option("--debug", "show more of errors")
    .addHelpText("after", CHECK_HELP)
    .action(async (names: string[]) =>
      context.exitWith(await forEachName(names, (name) => checkNetwork(name))),
    );
}
