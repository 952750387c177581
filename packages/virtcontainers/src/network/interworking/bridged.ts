import { changeLinks, undoLinks } from "../iproute.ts";
import { giveBackMac, randomMac } from "./hardware-address.ts";
import { bridgeName, tapCommands, tapName } from "./own-links.ts";
import { quietCommands } from "./quiet-link.ts";
import { dropCommands } from "./redirect.ts";
import type { Interworking } from "./types.ts";

/**
 * A bridge that has the link and a tap interface for ports. The guest has the link's hardware address, so the link gets
 * another. The bridge itself hears all that is sent to everybody: a filter keeps that from the namespace's own stack, which
 * would answer for the link's addresses.
 */
export const bridged: Interworking = {
  async connect({ endpoint, link, place, owner, queues }) {
    const [tap, bridge] = [tapName(endpoint.index), bridgeName(endpoint.index)];
    const make = [
      ...tapCommands(tap, owner, endpoint.mtu, queues),
      `link add name ${bridge} mtu ${endpoint.mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set dev ${bridge} alias ${owner} arp off`,
      ...quietCommands(bridge),
      `link set dev ${link.name} address ${randomMac()}`,
      `link set dev ${tap} master ${bridge} up`,
      `link set dev ${link.name} master ${bridge}`,
    ];
    await changeLinks(place, "ip", make, link.name);
    await changeLinks(place, "tc", dropCommands(bridge), link.name);
    await changeLinks(place, "ip", [`link set dev ${bridge} up`], link.name);
    return { type: "tap", ifName: tap, queues };
  },

  async disconnect(joint) {
    await undoLinks(joint.place, "ip", giveBackMac(joint), joint.link.name);
  },
};
