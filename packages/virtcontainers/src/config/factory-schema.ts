import type { FactoryConfig } from "../types/index.ts";
import { flag, object, path } from "./rules.ts";

const factoryConfig = object({ template: flag, templatePath: path });

/** Checks how VMs are made ready. @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD */
export function checkFactoryConfig(config: unknown): asserts config is FactoryConfig {
  factoryConfig(config, "factory");
}
