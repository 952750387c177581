import { podPath } from "../store/pod-directory.ts";
import type { PodConfig } from "../types/index.ts";

/** Version of the OCI runtime specification that the state follows. */
const OCI_VERSION = "1.0.2";
/** Annotation that tells where the bundle of a pod is; virtcontainers' own name for it. */
const BUNDLE_ANNOTATION = "com.github.containers.virtcontainers.pkg.oci.bundle_path";

/** The state of a pod as hooks are told it: OCI runtime specification, "State". */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "running" | "stopped";
  /** a process that lives in the pod's network namespace as long as the hook runs */
  readonly pid: number;
  /** directory of the bundle: as the annotation says, else the pod's own */
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Describes a pod to a hook. */
export function ociState(config: PodConfig, root: string, status: OciState["status"], pid: number): OciState {
  const { id, annotations = {} } = config;
  const bundle = annotations[BUNDLE_ANNOTATION] ?? podPath(root, id);
  return { ociVersion: OCI_VERSION, id, status, pid, bundle, annotations };
}
