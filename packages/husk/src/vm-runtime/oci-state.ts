import type { PodStatus } from "@husk/virtcontainers";
import { BUNDLE_ANNOTATION } from "./pod-of-bundle.ts";

/** Version of the specification that the state follows. */
const OCI_VERSION = "1.1.0";

/** The state of a container by the OCI runtime specification ("State", runtime.md). */
interface OciState {
  ociVersion: string;
  id: string;
  status: "creating" | "created" | "running" | "paused" | "stopped";
  /** what stands for it on the host; missing: nothing does */
  pid?: number;
  bundle: string;
  annotations: Record<string, string>;
}

/** The state of the only container of a pod. */
export function ociState({ id, containersStatus, annotations }: PodStatus): OciState {
  const { [BUNDLE_ANNOTATION]: bundle = "", ...others } = annotations;
  const { state = "stopped", pid = -1 } = containersStatus[0] ?? {};
  const hasProcess = pid > 0 && state !== "stopped";
  return {
    ociVersion: OCI_VERSION,
    id,
    status: state !== "ready" ? state : hasProcess ? "created" : "creating",
    ...(hasProcess ? { pid } : {}),
    bundle,
    annotations: others,
  };
}
