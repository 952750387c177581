import { createPod, deletePod, prepareContainer } from "@husk/virtcontainers";
import type { Command } from "commander";
import { makeFactory } from "../../options/pod-options.ts";
import { readBundle } from "../bundle.ts";
import { CallerWatch } from "../caller-watch.ts";
import { chooseFactory } from "../choose-factory.ts";
import { writePidFile } from "../pid-file.ts";
import { podOfBundle } from "../pod-of-bundle.ts";
import type { RuntimeContext } from "../runtime-context.ts";

interface CreateOptions {
  bundle: string;
  pidFile?: string;
}

/** Adds `create`. */
export function addCreateCommand(program: Command, context: () => RuntimeContext): void {
  program
    .command("create")
    .description("Makes a VM and in it a container, whose process waits to be started.")
    .argument("<id>", "of the container")
    .option("-b, --bundle <DIR>", "folder of the OCI bundle", ".")
    .option("--pid-file <FILE>", "write there the process id of what stands for the container on the host")
    .action((id: string, options: CreateOptions) => create(id, options, context()));
}

/** The container's process has our stdin, stdout and stderr. */
async function create(id: string, { bundle: folder, pidFile }: CreateOptions, { options }: RuntimeContext) {
  const bundle = readBundle(folder);
  const factory = chooseFactory(bundle.spec, process.env);
  const config = podOfBundle(id, bundle, factory, process.env);
  using watch = new CallerWatch();
  await createPod(config, { ...options, ...watch.options, ...makeFactory(factory) });
  try {
    const container = await prepareContainer(id, id, { ...options, ...watch.options });
    if (pidFile !== undefined) writePidFile(pidFile, container.getPid());
  } catch (error) {
    // Why it failed says more than that it could not be undone.
    await deletePod(id, options).catch(() => {});
    throw error;
  }
}
