import { HuskError } from "../../errors/index.ts";
import { bindToVfio, returnFromVfio } from "../../hypervisor/vfio-binding.ts";
import { undoLinks, vanished } from "../iproute.ts";
import { type Link, readLinks } from "../links.ts";
import { isNamespace } from "../namespace.ts";
import { placeOf, placeToUndo } from "../place.ts";
import type { Endpoint, EndpointRecord, JoinModel, LinkBefore, NetworkSite } from "../types.ts";
import { bridged } from "./bridged.ts";
import { direct } from "./direct.ts";
import { macvtap } from "./macvtap.ts";
import { findOwnLinks, hasOtherOwner, joinedAlready } from "./own-links.ts";
import { tcFilter } from "./tc-filter.ts";
import type { Connection, Interworking } from "./types.ts";

export { chooseJoin } from "./choose-join.ts";
export type { Connection } from "./types.ts";

const MODELS: Readonly<Record<JoinModel, Interworking>> = { tcFilter, bridged, macvtap, direct };

/**
 * Joins an endpoint to the VM, by the model of its record. Leftovers of an earlier attempt of the pod go first.
 * Who undoes this calls `disconnectEndpoint`, also when this fails.
 * @param record of the endpoint, in the pod's record, which is stored with it already
 * @param queues number of queues wanted
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NETWORK_CLASH, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function connectEndpoint(
  record: EndpointRecord,
  site: NetworkSite,
  queues = 1,
): Promise<Connection> {
  const { endpoint, model } = record;
  const connection = connectWithoutLink(endpoint, site);
  if (connection) return connection;
  const [place, owner] = [placeOf(site), site.containerId];
  let links = await readLinks(place);
  const own = findOwnLinks(links, endpoint.index);
  if (hasOtherOwner(own, owner)) throw joinedAlready(own, endpoint.name, place);
  if (own.length > 0 || record.before) {
    await disconnectEndpoint(record, site);
    links = await readLinks(place);
  }
  const link = findLink(links, endpoint);
  if (!link || link.name !== endpoint.name) throw vanished(place, endpoint.name);
  const keep = (before: LinkBefore) => {
    record.before = before;
    site.save();
  };
  return { backend: await MODELS[model].connect({ endpoint, link, place, owner, queues, keep }) };
}

/**
 * Takes an endpoint from the VM, which does not use it any more, and gives the link back as it was. However far
 * `connectEndpoint` came, and whatever has gone meanwhile, is no error; it goes on when the call is aborted.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NOT_SUPPORTED
 */
export async function disconnectEndpoint(record: EndpointRecord, site: NetworkSite): Promise<void> {
  const { endpoint, model, before = {} } = record;
  const { kind, pciAddress, index, name } = endpoint;
  if (kind === "physical" && pciAddress !== undefined) return returnFromVfio(pciAddress);
  const [place, owner] = [placeToUndo(site), site.containerId];
  if (!place || kind === "user" || kind === "vhost-user" || !isNamespace(place.netNSPath)) return;
  const links = await readLinks(place);
  const own = findOwnLinks(links, index);
  if (hasOtherOwner(own, owner)) return;
  const remove = own.map((link) => `link delete dev ${link.name}`);
  await undoLinks(place, "ip", remove, name);
  const link = findLink(links, endpoint);
  try {
    if (link) await MODELS[model].disconnect({ endpoint, link, place, owner, before });
  } catch (error) {
    // What the kernel refuses to take back it refuses for ever: that is told once.
    delete record.before;
    site.save();
    throw error;
  }
  delete record.before;
}

/**
 * Whether all that joins an endpoint to the VM goes with its namespace. Else there are addresses to be given back, by which
 * plugins find what they have made, or devices to be returned.
 */
export function goesWithNamespace({ model }: Pick<EndpointRecord, "model">): boolean {
  return model === "tcFilter" || model === "bridged";
}

/** A link is known by its number, which it keeps when it is renamed. */
function findLink(links: readonly Link[], { index }: Endpoint): Link | undefined {
  return links.find((link) => link.index === index);
}

/** What needs nothing to be done in the namespace. */
function connectWithoutLink(endpoint: Endpoint, site: NetworkSite): Connection | undefined {
  const { kind, socketPath, pciAddress, name } = endpoint;
  if (kind === "user") {
    return { backend: { type: "user", portMappings: site.config.portMappings ?? [] } };
  }
  if (kind === "vhost-user" && socketPath !== undefined) {
    return { backend: { type: "vhost-user", socketPath } };
  }
  if (kind !== "physical") return undefined;
  if (pciAddress === undefined) throw new HuskError("ERR_NOT_SUPPORTED", `${name} is not a PCI device`);
  return { vfio: bindToVfio(pciAddress) };
}
