import type { NicBackend } from "../../hypervisor/types.ts";
import { changeLinks, undoLinks } from "../iproute.ts";
import { macCommands, neighbourCommands, randomMac } from "./hardware-address.ts";
import { findMacvtapNode } from "./macvtap-node.ts";
import { quietCommands } from "./quiet-link.ts";
import { restoreLink, saveLink } from "./saved-link.ts";
import type { Interworking, NewJoint } from "./types.ts";

/**
 * A link that was made for a VM, which has it as it is, and its hardware address. It is set up for as long. A tap interface
 * gets another hardware address: a bridge that it is a port of would take what is for the guest for itself. Nobody tells a
 * macvtap interface of the guest's multicast groups, by which IPv6 finds neighbours, so it takes all. When the VM opens it,
 * the kernel gives it no address of its own.
 */
export const direct: Interworking = {
  async connect(joint) {
    const { link, place, keep } = joint;
    const backend = await findBackend(joint);
    const isSelective = link.kind === "macvtap" && !link.takesAllMulticast;
    const { addressMode, isUp } = link;
    keep({ ...(isUp ? {} : await saveLink(place, link.name)), isDown: !isUp, isSelective, addressMode });
    const set = `link set dev ${link.name}`;
    const change = [
      ...(link.kind === "tap" ? [`${set} address ${randomMac()}`] : []),
      ...(isSelective ? [`${set} allmulticast on`] : []),
      ...quietCommands(link.name),
      `${set} up`,
    ];
    await changeLinks(place, "ip", change, link.name);
    return backend;
  },

  async disconnect(joint) {
    const { link, place, before } = joint;
    const set = `link set dev ${link.name}`;
    const restore = [
      ...macCommands(joint),
      ...(before.isSelective ? [`${set} allmulticast off`] : []),
      ...(before.isDown ? [`${set} down`] : []),
      ...(before.addressMode ? [`${set} addrgenmode ${before.addressMode}`] : []),
    ];
    await undoLinks(place, "ip", restore, link.name);
    // The kernel has taken the addresses of IPv6 when the link went down.
    if (before.isDown) await restoreLink(place, { ...link, isUp: false }, before);
    await undoLinks(place, "ip", neighbourCommands(joint), link.name);
  },
};

async function findBackend({ link, place, queues }: NewJoint): Promise<NicBackend> {
  if (link.kind === "macvtap") {
    return { type: "macvtap", path: await findMacvtapNode(place, link.name, link.index), queues };
  }
  // Who opens a tap must say whether it has several queues just as who made it did.
  return { type: "tap", ifName: link.name, queues: link.tap?.multiQueue ? Math.max(2, queues) : 1 };
}
