import type { ModulePlaceOptions } from "../options/module-options.ts";
import { callModule } from "./module-call.ts";

/** What `husk module logs` can be told. */
export interface ModuleLogsOptions extends ModulePlaceOptions {
  follow?: boolean;
  /** lines to begin with; Infinity: all */
  tail?: number;
}

/**
 * Prints the log of a container, no faster than it is taken.
 * @returns exit status
 * @throws HuskError, UsageError
 */
export function showModuleLogs(ns: string, id: string, options: ModuleLogsOptions): Promise<number> {
  const { follow = false, tail, ...place } = options;
  const lines = tail === undefined || tail === Number.POSITIVE_INFINITY ? {} : { tail };
  return callModule(place, async (module, signal) => {
    for await (const data of module.logs(ns, id, { follow, ...lines, signal }))
      await new Promise<void>((resolve) => process.stdout.write(data, () => resolve()));
    return undefined;
  });
}
