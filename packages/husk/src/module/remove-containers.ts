import type { ContainerModule } from "@husk/container-module";
import { forEachName } from "../commands/each-name.ts";
import type { ModulePlaceOptions } from "../options/module-options.ts";
import { callModule } from "./module-call.ts";

/** What `husk module rm` can be told. */
export interface ModuleRmOptions extends ModulePlaceOptions {
  force?: boolean;
  /** seconds between SIGTERM and SIGKILL */
  grace?: number;
  /** the logs, too */
  log?: boolean;
}

/**
 * Deletes containers, running or not.
 * @returns exit status
 * @throws HuskError, UsageError when the module cannot be used; what is wrong with single containers is printed
 */
export function removeContainers(
  ns: string,
  names: readonly string[],
  options: ModuleRmOptions,
): Promise<number> {
  const { force = false, grace, log = false, ...place } = options;
  const deletion = { removeLog: log, ...(grace === undefined ? {} : { graceMs: grace * 1000 }) };
  return callModule(place, (module, signal) =>
    forEachName(names, async (name) => {
      if (!force) await mustExist(module, ns, name, signal);
      await module.delete(ns, name, { ...deletion, signal });
    }),
  );
}

/** For the module, deleting what is not there is no error; for one who types, it is a name typed wrong. */
async function mustExist(
  module: ContainerModule,
  ns: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await module.inspect(ns, name, { signal });
}
