import { mkdirSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, throwIfAborted } from "@husk/virtcontainers/internals";
import { clearStaging } from "../state/claim.ts";
import { emptyTrash } from "../state/discard.ts";
import { namespacesDirectory } from "../state/layout.ts";
import type { ContainerModule } from "../types.ts";
import { LocalModule } from "./local-module.ts";
import { type ModuleOptions, readOptions } from "./options.ts";

/**
 * Opens the container module. It is a client of one shim for each container, and keeps nothing in memory: any number of
 * processes may have it open, and none need go on. Containers that lost their shim get another one, those that ran before a
 * reboot are started, and what dead processes left is removed.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_RUNTIME when the runtime is not there, ERR_NOT_SUPPORTED,
 * ERR_STORE, ERR_ABORTED
 */
export async function openContainerModule(options: ModuleOptions): Promise<ContainerModule> {
  const { signal } = options;
  throwIfAborted(signal);
  const context = readOptions(options);
  const { stateRoot, runRoot } = context.directories;
  try {
    mkdirSync(namespacesDirectory(stateRoot), { recursive: true, mode: 0o700 });
    mkdirSync(runRoot, { recursive: true, mode: 0o700 });
    clearStaging(stateRoot);
    await emptyTrash(stateRoot);
  } catch (cause) {
    throw new HuskError("ERR_STORE", `${stateRoot} or ${runRoot} cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
  const module = new LocalModule(context, options.guard);
  await module.settle({ signal });
  return module;
}
