import type { PodRecord } from "../store/pod-record.ts";
import type { NetworkRecord, NetworkSite } from "./types.ts";

/** What the network of a pod is set up by. */
export interface SiteOptions {
  /** stores the pod's record */
  readonly save: () => void;
  readonly deadlineFactor: number;
  readonly signal?: AbortSignal | undefined;
}

/** The network of a pod, to be set up or undone. */
export function siteOf(
  { uuid, config }: Pick<PodRecord, "uuid" | "config">,
  record: NetworkRecord,
  options: SiteOptions,
): NetworkSite {
  return { containerId: uuid, config: config.networkConfig ?? {}, record, ...options };
}
