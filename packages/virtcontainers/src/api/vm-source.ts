import { checkFactoryConfig } from "../config/factory-schema.ts";
import { HuskError, isHuskError, messageOf } from "../errors/index.ts";
import { hasVmCache, LocalVmCache } from "../factory/vm-cache.ts";
import type { CreateOptions, FactoryConfig, PodConfig } from "../types/index.ts";
import type { Call } from "./call.ts";

/** Where a pod's VM is asked for. */
export interface VmSource {
  readonly factory?: FactoryConfig | undefined;
  readonly vmCache?: LocalVmCache | undefined;
}

/** Checks where a pod's VM is to be asked for. @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD */
export function checkSource({ factory, vmCache }: Pick<CreateOptions, "factory" | "vmCache">): VmSource {
  if (factory) checkFactoryConfig(factory);
  if (vmCache === undefined || vmCache instanceof LocalVmCache) return { factory, vmCache };
  throw new HuskError("ERR_CONFIG_INVALID", "vmCache is not what openVmCache returned");
}

/** The same without VMs that wait. */
export function withoutCache({ factory = {} }: VmSource): VmSource {
  const { template = false, templatePath } = factory;
  return { factory: { template, ...(templatePath === undefined ? {} : { templatePath }) } };
}

/** Tells that a stopped pod's VM does not come from the cache: it has a directory already, and so has a VM that waits. */
export function warnOfRestart(config: PodConfig, factory: FactoryConfig | undefined, call: Call): void {
  if (!factory || !hasVmCache(factory)) return;
  warnOfMiss(config, call, new HuskError("ERR_NOT_SUPPORTED", "it was stopped, and keeps its own directory"));
}

/** Tells that a pod's VM does not come from the cache, and why. */
export function warnOfMiss({ id: podId }: PodConfig, call: Call, cause: unknown): void {
  const code = isHuskError(cause) ? cause.code : "ERR_CACHE_MISMATCH";
  const text = `pod "${podId}" gets no VM that waited: ${messageOf(cause)}`;
  call.warn(new HuskError(code, text, { cause, podId }));
}
