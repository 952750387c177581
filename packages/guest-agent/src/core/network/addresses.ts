/** The guest's own addresses, as the kernel has them. */
import { decodeAddresses, dumpAddresses, formatAddress, NETLINK_ROUTE } from "@husk/wire/netlink";
import { LOOPBACK } from "./links.ts";
import { withNetlink } from "./netlink-socket.ts";

/** Addresses by which others reach the guest: neither of the loopback interface nor of a link alone. */
export function listAddresses(): string[] {
  return withNetlink(NETLINK_ROUTE, (socket) => decodeAddresses(socket.ask(dumpAddresses())))
    .filter(({ link, isLinkLocal }) => link !== LOOPBACK && !isLinkLocal)
    .map(formatAddress);
}
