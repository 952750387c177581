import { changeLinks, undoLinks } from "../iproute.ts";
import { macCommands, neighbourCommands, randomMac } from "./hardware-address.ts";
import { bridgeName, tapCommands, tapName } from "./own-links.ts";
import { switchIpv6 } from "./saved-link.ts";
import type { Interworking } from "./types.ts";

/**
 * A bridge that has the link and a tap interface for ports. The guest has the link's hardware address, so the link gets
 * another. The bridge itself hears all that is sent to everybody: without ARP and IPv6, the namespace's own stack does not
 * answer there for the link's addresses, nor takes one that a router offers.
 */
export const bridged: Interworking = {
  async connect({ endpoint, link, place, owner, queues }) {
    const [tap, bridge] = [tapName(endpoint.index), bridgeName(endpoint.index)];
    const make = [
      ...tapCommands(tap, owner, endpoint.mtu, queues),
      `link add name ${bridge} mtu ${endpoint.mtu} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set dev ${bridge} alias ${owner} arp off`,
      `link set dev ${link.name} address ${randomMac()}`,
      `link set dev ${tap} master ${bridge} up`,
      `link set dev ${link.name} master ${bridge}`,
    ];
    await changeLinks(place, "ip", make, link.name);
    await switchIpv6(place, bridge, false);
    await changeLinks(place, "ip", [`link set dev ${bridge} up`], link.name);
    return { type: "tap", ifName: tap, queues };
  },

  async disconnect(joint) {
    await undoLinks(joint.place, "ip", [...macCommands(joint), ...neighbourCommands(joint)], joint.link.name);
  },
};
