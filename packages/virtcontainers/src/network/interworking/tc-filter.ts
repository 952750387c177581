import { changeLinks, undoLinks } from "../iproute.ts";
import { tapCommands, tapName } from "./own-links.ts";
import { filteredAlready, readIngress, redirectCommands } from "./redirect.ts";
import type { Interworking } from "./types.ts";

/**
 * A tap interface, and filters that send all that comes in by the link out by the tap, and the other way round. The link
 * keeps its addresses, which the guest gets too: the namespace's own stack sees nothing of what comes in, and so neither
 * answers nor doubts them.
 */
export const tcFilter: Interworking = {
  async connect({ endpoint, link, place, owner, queues }) {
    const tap = tapName(endpoint.index);
    const ingress = await readIngress(place, link.name);
    if (ingress === "foreign") throw filteredAlready(place, link.name);
    if (ingress === "ours") await removeFilter(place, link.name);
    const make = [...tapCommands(tap, owner, endpoint.mtu, queues), `link set dev ${tap} up`];
    await changeLinks(place, "ip", make, link.name);
    const redirect = [...redirectCommands(link.name, tap), ...redirectCommands(tap, link.name)];
    await changeLinks(place, "tc", redirect, link.name);
    return { type: "tap", ifName: tap, queues };
  },

  async disconnect({ link, place }) {
    if ((await readIngress(place, link.name)) === "ours") await removeFilter(place, link.name);
  },
};

function removeFilter(place: Parameters<typeof undoLinks>[0], link: string): Promise<void> {
  return undoLinks(place, "tc", [`qdisc del dev ${link} ingress`], link);
}
