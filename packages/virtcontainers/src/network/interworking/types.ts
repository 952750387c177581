import type { NicBackend } from "../../hypervisor/types.ts";
import type { VfioFunction } from "../../hypervisor/vfio.ts";
import type { Link } from "../links.ts";
import type { NamespacePlace } from "../namespace-command.ts";
import type { Endpoint, LinkBefore } from "../types.ts";

/** What a VM gets of an endpoint: what is behind its network interface, or a device of the host for itself. */
export type Connection = { readonly backend: NicBackend } | { readonly vfio: VfioFunction };

/** A link that is joined to a VM, or no longer. */
export interface Joint {
  readonly endpoint: Endpoint;
  /** the link as it is now, by its number */
  readonly link: Link;
  readonly place: NamespacePlace;
  /** whose it is: our links carry this as their alias */
  readonly owner: string;
}

/** A joint that is to be made. */
export interface NewJoint extends Joint {
  /** number of queues wanted */
  readonly queues: number;
  /** Stores what the link was before; to be called before it is changed. */
  keep(before: LinkBefore): void;
}

/** A joint that is to be undone. */
interface OldJoint extends Joint {
  readonly before: LinkBefore;
}

/** One way of joining a link to a VM. */
export interface Interworking {
  /**
   * Joins a link. Who undoes this calls `disconnect`, also when this fails.
   * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NETWORK_CLASH, ERR_NOT_SUPPORTED, ERR_ABORTED
   */
  connect(joint: NewJoint): Promise<NicBackend>;
  /**
   * Gives the link back as it was, however far `connect` came; our own links have gone already.
   * @throws HuskError ERR_NETWORK_LINK
   */
  disconnect(joint: OldJoint): Promise<void>;
}
