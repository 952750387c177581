import { statusVmCache, stopVmCache } from "@husk/virtcontainers";
import type { Command } from "commander";
import {
  addEndpointOption,
  addServeOptions,
  type EndpointOptions,
  makeEndpoint,
  type ServeOptions,
} from "../options/cache-options.ts";
import { addVmOptions, type VmOptions } from "../options/vm-options.ts";
import { renderCache } from "../output/cache-table.ts";
import { serveCache } from "../serve-cache.ts";

const HELP = `
A cache is a process that keeps VMs waiting, and hands them to other husks. A VM that waits takes no processor's time, and is there at
once. husk run --factory cache asks for VMs that share nothing; --factory cache+template for copies of a template, of a server with
--template, which take less memory, and share some of it (husk factory --help).

Examples:
  husk cache serve --number 4 --template &
  husk run --rm --factory cache+template -- true
  husk cache status
  husk cache stop`;

const SERVE_HELP = `
It stays in the foreground, and makes a VM anew when one is taken. SIGTERM, SIGINT and husk cache stop let it end in order: VMs that
nobody has taken are ended, the others are their pods'. A second signal ends it at once; what it leaves then is cleared by the next.

The options of the VM must be those of the husk run that is to use it: others do not fit, and get VMs of their own. More memory and
processors are plugged in, where --memory-slots and --max-cpus leave room.

Tiers, the best first: rehearsed (has run a container of ours before; the usual one), paused (its agent has answered), prepared (its
process waits, with --template only; takes the least memory). Who asks gets the best that is there.

Exit status: 0 when it was asked to end, 128+N after a second signal N, 125 when it cannot serve.

Examples:
  husk cache serve
  husk cache serve --number 4 --template --agent kata --memory 512
  husk cache serve --template --tiers rehearsed=1,paused=2,prepared=4
  husk cache serve --endpoint /run/husk/large.sock --memory 2048`;

const STATUS_HELP = `
Exit status: 0 when a server answers, 125 when there is none.

Examples:
  husk cache status
  husk cache status --json
  husk cache status --endpoint /run/husk/large.sock`;

const STOP_HELP = `
Waits until the server is gone. VMs that were taken go on.

Examples:
  husk cache stop
  husk cache stop --endpoint /run/husk/large.sock`;

/** Adds `husk cache` and its own commands. */
export function addCacheCommand(program: Command): void {
  const group = program
    .command("cache")
    .summary("keep VMs waiting for pods")
    .description("Keeps VMs that wait until a pod wants one, and hands them out.")
    .addHelpText("after", HELP);
  addVmOptions(addServeOptions(group.command("serve").summary("keep VMs waiting, and hand them out")))
    .description("Keeps VMs waiting, and hands them to other husks, until it is ended.")
    .addHelpText("after", SERVE_HELP)
    .action((options: ServeOptions & VmOptions) => serveCache(options));
  addStatusCommand(group);
  addStopCommand(group);
}

function addStatusCommand(group: Command): void {
  addEndpointOption(group.command("status").summary("show the VMs that wait"))
    .description("Shows a server's VMs, and why it could not make one.")
    .option("--json", "print a JSON object")
    .option("--debug", "show more of errors")
    .addHelpText("after", STATUS_HELP)
    .action(async ({ json, ...options }: EndpointOptions & { json?: boolean }) => {
      const status = await statusVmCache(makeEndpoint(options));
      process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : renderCache(status, new Date()));
    });
}

function addStopCommand(group: Command): void {
  addEndpointOption(group.command("stop").summary("end the server"))
    .description("Ends a server and the VMs that nobody has taken.")
    .option("--debug", "show more of errors")
    .addHelpText("after", STOP_HELP)
    .action(async (options: EndpointOptions) => stopVmCache(makeEndpoint(options)));
}
