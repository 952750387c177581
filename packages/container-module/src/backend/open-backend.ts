import { HuskError } from "@husk/virtcontainers";
import type { BackendRecord } from "../state/record.ts";
import { ociBackend } from "./oci.ts";
import type { Backend } from "./types.ts";

/** What carries out a container: of each, its record tells. @throws HuskError ERR_NOT_SUPPORTED */
export function openBackend({ kind, runtime }: BackendRecord): Backend {
  if (kind === "oci") return ociBackend(runtime);
  throw new HuskError("ERR_NOT_SUPPORTED", `the backend ${kind} is not there yet`);
}
