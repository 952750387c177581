import { HuskError } from "../errors/index.ts";
import type { NamespacePlace } from "./namespace-command.ts";
import type { NetworkSite } from "./types.ts";

/** What tells of a pod's namespace. */
export type SiteOfNamespace = Pick<NetworkSite, "record" | "deadlineFactor" | "signal">;

/** The namespace of a pod's network. @throws HuskError ERR_NETWORK_NAMESPACE when it has none */
export function placeOf({ record, deadlineFactor, signal }: SiteOfNamespace): NamespacePlace {
  const { netNSPath } = record;
  if (netNSPath !== undefined) return { netNSPath, deadlineFactor, signal };
  throw new HuskError("ERR_NETWORK_NAMESPACE", "the pod has no network namespace");
}

/** The same for undoing, which goes on when the call was aborted; undefined: there is nothing to undo. */
export function placeToUndo({ record, deadlineFactor }: SiteOfNamespace): NamespacePlace | undefined {
  return record.netNSPath === undefined ? undefined : { netNSPath: record.netNSPath, deadlineFactor };
}
