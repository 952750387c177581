import { HuskError, type OciSpec } from "@husk/virtcontainers";
import type { PodOptions } from "../options/pod-options.ts";

/** Annotation by which a bundle says where its VM comes from. */
const FACTORY_ANNOTATION = "husk.factory";
const FACTORIES = ["direct", "template"] as const;

/**
 * Where the VM of a bundle comes from: what it says itself, else what the environment says.
 * @throws HuskError ERR_CONFIG_INVALID
 */
export function chooseFactory(
  { annotations = {} }: OciSpec,
  { HUSK_FACTORY }: NodeJS.ProcessEnv,
): NonNullable<PodOptions["factory"]> {
  const [at, value] = annotations[FACTORY_ANNOTATION]
    ? [`annotation ${FACTORY_ANNOTATION}`, annotations[FACTORY_ANNOTATION]]
    : ["HUSK_FACTORY", HUSK_FACTORY];
  if (!value) return "direct";
  const known = FACTORIES.find((name) => name === value);
  if (known) return known;
  const text = `${at}: ${JSON.stringify(value.slice(0, 80))} is none of ${FACTORIES.join(", ")}`;
  throw new HuskError("ERR_CONFIG_INVALID", text);
}
