/** The guest's links, as the kernel has them. */
import { Errno } from "@husk/tiny";
import { decodeLinks, dumpLinks, getLink, type Link, NETLINK_ROUTE, setLink } from "@husk/wire/netlink";
import { NetlinkError, type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Index of the loopback interface in every network namespace. */
export const LOOPBACK = 1;

/** Switches the loopback interface on, which also gives it 127.0.0.1 and ::1. */
export function raiseLoopback(): void {
  withNetlink(NETLINK_ROUTE, (socket) => socket.ask(setLink(LOOPBACK, { up: true })));
}

let isPodLoopbackUp = false;

/** Does so in the agent's own namespace, which is the pods' and outlives them: asking the kernel costs it as much as the work. */
export function raisePodLoopback(): void {
  if (isPodLoopbackUp) return;
  raiseLoopback();
  isPodLoopbackUp = true;
}

/** A link by its name. */
export function findLinkByName(socket: NetlinkSocket, name: string): Link | undefined {
  try {
    return decodeLinks(socket.ask(getLink(name)))[0];
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === Errno.ENODEV) return undefined;
    throw error;
  }
}

/** A link by its hardware address, as the host writes it. */
export function findLinkByAddress(socket: NetlinkSocket, macAddr: string): Link | undefined {
  const wanted = macAddr.toLowerCase().replaceAll("-", ":");
  return decodeLinks(socket.ask(dumpLinks())).find((link) => link.macAddr === wanted);
}

/**
 * Gives a link a name. Another that has it makes room when it is down: then its name is but the one that the kernel gave
 * it, in the order in which it found the devices.
 *
 * @throws Error when the name is taken, or cannot be one
 */
export function renameLink(socket: NetlinkSocket, link: Link, name: string): void {
  if (name === link.name) return;
  const other = findLinkByName(socket, name);
  if (other?.up) throw new Error("another interface that is set up has this name");
  if (other) socket.ask(setLink(other.index, { name: `husk${other.index}` }));
  // The kernel renames only what is down.
  if (link.up) socket.ask(setLink(link.index, { up: false }));
  socket.ask(setLink(link.index, { name }));
}

/** Gives a link a name that no link has. The kernel of the guest renames only what is down. */
function renameFree(socket: NetlinkSocket, { index, up }: Link, name: string): void {
  if (up) socket.ask(setLink(index, { up: false }));
  try {
    socket.ask(setLink(index, { name }));
  } finally {
    if (up) socket.ask(setLink(index, { up: true }));
  }
}

/**
 * Gives a link a name. Another that has it gets the link's, and is up afterwards if it was.
 *
 * @throws Error when it cannot be a name
 */
export function swapName(socket: NetlinkSocket, link: Link, name: string): void {
  if (name === link.name) return;
  const other = findLinkByName(socket, name);
  if (other) renameFree(socket, other, `husk${other.index}`);
  try {
    renameFree(socket, link, name);
  } catch (error) {
    if (other) renameFree(socket, other, name);
    throw error;
  }
  if (other) renameFree(socket, other, link.name);
}
