import { HuskError } from "../errors/index.ts";
import { MAX_SOCKET_PATH_BYTES } from "../store/pod-directory.ts";
import type { FactoryConfig } from "../types/index.ts";
import { flag, integer, object, path, text } from "./rules.ts";

/** Most VMs of one kind that a cache may be told to keep. */
const MAX_CACHED = 1000;
const count = integer(0, MAX_CACHED);

const factoryConfig = object({
  template: flag,
  templatePath: path,
  vmCacheNumber: count,
  vmCacheTiers: object({ prepared: count, paused: count, rehearsed: count }),
  vmCacheEndpoint: text({ max: MAX_SOCKET_PATH_BYTES, empty: false }),
});

/** Checks how VMs are made ready. @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD */
export function checkFactoryConfig(config: unknown): asserts config is FactoryConfig {
  factoryConfig(config, "factory");
  const { template, vmCacheNumber, vmCacheTiers } = config as FactoryConfig;
  if (vmCacheNumber !== undefined && vmCacheTiers !== undefined)
    throw new HuskError(
      "ERR_CONFIG_INVALID",
      "factory: vmCacheNumber and vmCacheTiers are two ways to say the same",
    );
  if (vmCacheTiers?.prepared && !template) {
    const text =
      "factory.vmCacheTiers.prepared: such VMs wait for the state of a template, and template is not set";
    throw new HuskError("ERR_CONFIG_INVALID", text);
  }
}
