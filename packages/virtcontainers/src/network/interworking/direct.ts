import type { NicBackend } from "../../hypervisor/types.ts";
import { changeLinks, undoLinks } from "../iproute.ts";
import { findMacvtapNode } from "./macvtap-node.ts";
import type { Interworking, NewJoint } from "./types.ts";

/** A link that was made for a VM, which has it as it is. It is set up for as long. */
export const direct: Interworking = {
  async connect(joint) {
    const { link, place, keep } = joint;
    const backend = await findBackend(joint);
    if (!link.isUp) {
      keep({ isDown: true });
      await changeLinks(place, "ip", [`link set dev ${link.name} up`], link.name);
    }
    return backend;
  },

  async disconnect({ link, place, before }) {
    if (before.isDown) await undoLinks(place, "ip", [`link set dev ${link.name} down`], link.name);
  },
};

async function findBackend({ link, place, queues }: NewJoint): Promise<NicBackend> {
  if (link.kind === "macvtap") {
    return { type: "macvtap", path: await findMacvtapNode(place, link.name, link.index), queues };
  }
  // Who opens a tap must say whether it has several queues just as who made it did.
  return { type: "tap", ifName: link.name, queues: link.tap?.multiQueue ? Math.max(2, queues) : 1 };
}
