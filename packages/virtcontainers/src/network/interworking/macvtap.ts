import { changeLinks, undoLinks } from "../iproute.ts";
import { macCommands, neighbourCommands, randomMac } from "./hardware-address.ts";
import { chooseMacvtapIndex, findMacvtapNode } from "./macvtap-node.ts";
import { tapName } from "./own-links.ts";
import { quietCommands } from "./quiet-link.ts";
import { restoreLink, saveLink, switchIpv6 } from "./saved-link.ts";
import type { Interworking } from "./types.ts";

/** Packets that wait for the VM at most, when the link has no queue of its own: without any, the VM would get none. */
const QUEUE_LENGTH = 1000;

/**
 * A macvtap interface on the link, with the link's hardware address; the link gets another. What is sent to everybody comes
 * to the link as well, so it loses its addresses and IPv6: the namespace's own stack would answer for them.
 */
export const macvtap: Interworking = {
  async connect({ endpoint, link, place, owner, queues, keep }) {
    const tap = tapName(endpoint.index);
    keep(await saveLink(place, link.name));
    await switchIpv6(place, link.name, false);
    const index = chooseMacvtapIndex();
    const make = [
      `address flush dev ${link.name}`,
      `link set dev ${link.name} address ${randomMac()}`,
      `link add link ${link.name} name ${tap} index ${index} mtu ${endpoint.mtu} type macvtap mode bridge`,
      `link set dev ${tap} alias ${owner} address ${endpoint.mac} txqueuelen ${link.queueLength || QUEUE_LENGTH}`,
      // Nobody tells it of the guest's groups, by which IPv6 finds neighbours.
      `link set dev ${tap} allmulticast on`,
      ...quietCommands(tap),
      `link set dev ${tap} up`,
    ];
    await changeLinks(place, "ip", make, link.name);
    return { type: "macvtap", path: await findMacvtapNode(place, tap, index), queues };
  },

  async disconnect(joint) {
    const { place, link, before } = joint;
    await undoLinks(place, "ip", macCommands(joint), link.name);
    await restoreLink(place, link, before);
    await undoLinks(place, "ip", neighbourCommands(joint), link.name);
  },
};
