import { updateContainer, updatePod } from "@husk/virtcontainers";
import type { Command } from "commander";
import { splitName } from "../exec-in-container.ts";
import { parsePositive } from "../options/numbers.ts";
import { addResourceOptions, makeResources, type ResourceOptions } from "../options/resource-options.ts";
import { tellWarning } from "../output/error-report.ts";
import { UsageError } from "../usage-error.ts";

interface UpdateOptions extends ResourceOptions {
  /** number of virtual CPUs */
  cpus?: number;
  /** guest memory in MiB */
  memory?: number;
}

const HELP = `
NAME is a pod that husk run has made; a container of a pod with several is POD/CONTAINER. What is left out stays as it is.

--cpus and --memory are the VM's: a running one grows at once, as far as it has room (husk run: --max-cpus, --memory-slots),
and gets smaller when it is started again. The other options are the container's, and need the Kata agent (husk run: --agent
kata); the VM grows by what the container may use beside the rest of the pod. "none" takes a limit away.

Examples:
  husk update --cpus 2 --memory 512 web
  husk update --cpu-limit 0.5 --memory-limit 64m web
  husk update --pids-limit none web/db`;

/** Adds `husk update`. */
export function addUpdateCommand(program: Command): void {
  const command = program
    .command("update")
    .summary("change what a VM has, and what a container may use of it")
    .description("Changes what a pod's VM has, and what a container may use of it.")
    .argument("<name>", "the pod, or POD/CONTAINER")
    .option("--cpus <N>", "number of virtual CPUs of the VM", parsePositive)
    .option("--memory <MIB>", "memory of the VM in MiB", parsePositive);
  addResourceOptions(command)
    .option("--debug", "show more of errors")
    .addHelpText("after", HELP)
    .action(async (name: string, options: UpdateOptions) => {
      await update(name, options);
      process.stdout.write(`${name}\n`);
    });
}

async function update(name: string, { cpus, memory, ...limits }: UpdateOptions): Promise<void> {
  const { podId, containerId } = splitName(name);
  const resources = makeResources(limits);
  const vm = { ...(cpus === undefined ? {} : { vcpus: cpus }), ...(memory === undefined ? {} : { memory }) };
  const changesVm = Object.keys(vm).length > 0;
  if (!resources && !changesVm) throw new UsageError("nothing to change", "see: husk update --help");
  const callOptions = { onWarning: tellWarning };
  if (changesVm) await updatePod(podId, vm, callOptions);
  if (resources) await updateContainer(podId, containerId, resources, callOptions);
}
