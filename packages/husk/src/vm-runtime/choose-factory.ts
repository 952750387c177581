import { HuskError, type OciSpec } from "@husk/virtcontainers";
import { FACTORY_KINDS, type PodOptions } from "../options/pod-options.ts";

/** Annotation by which a bundle says where its VM comes from. */
const FACTORY_ANNOTATION = "husk.factory";

/**
 * Where the VM of a bundle comes from: what it says itself, else what the environment says; and which cache is asked.
 * @throws HuskError ERR_CONFIG_INVALID
 */
export function chooseFactory(
  { annotations = {} }: OciSpec,
  { HUSK_FACTORY, HUSK_CACHE_ENDPOINT: cacheEndpoint }: NodeJS.ProcessEnv,
): Pick<PodOptions, "factory" | "cacheEndpoint"> {
  const [at, value] = annotations[FACTORY_ANNOTATION]
    ? [`annotation ${FACTORY_ANNOTATION}`, annotations[FACTORY_ANNOTATION]]
    : ["HUSK_FACTORY", HUSK_FACTORY];
  if (!value) return {};
  const factory = FACTORY_KINDS.find((name) => name === value);
  if (factory) return { factory, ...(cacheEndpoint ? { cacheEndpoint } : {}) };
  const text = `${at}: ${JSON.stringify(value.slice(0, 80))} is none of ${FACTORY_KINDS.join(", ")}`;
  throw new HuskError("ERR_CONFIG_INVALID", text);
}
