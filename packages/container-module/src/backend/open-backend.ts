import type { BackendRecord } from "../state/record.ts";
import { ociBackend } from "./oci.ts";
import type { Backend } from "./types.ts";
import { vmBackend } from "./vm.ts";

/** What carries out a container: of each, its record tells. */
export function openBackend({ kind, runtime }: BackendRecord): Backend {
  return kind === "oci" ? ociBackend(runtime) : vmBackend(runtime);
}
