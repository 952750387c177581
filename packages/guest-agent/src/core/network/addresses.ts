/** The guest's own addresses, as the kernel has them. */
import * as sys from "tiny:sys";
import { decodeAddresses, dumpAddresses, formatAddress, NETLINK_ROUTE } from "@husk/wire/netlink";
import { LOOPBACK } from "./links.ts";
import { withNetlink } from "./netlink-socket.ts";

/** Addresses by which others reach the guest: neither of the loopback interface nor of a link alone. */
export function listAddresses(): string[] {
  // To ask the kernel for none takes 10 ms where a VM's first container is started.
  if (hasOnlyLoopback()) return [];
  return withNetlink(NETLINK_ROUTE, (socket) => decodeAddresses(socket.ask(dumpAddresses())))
    .filter(({ link, isLinkLocal }) => link !== LOOPBACK && !isLinkLocal)
    .map(formatAddress);
}

function hasOnlyLoopback(): boolean {
  try {
    return sys.readdir("/sys/class/net").every((name) => name === "lo");
  } catch {
    // Without /sys, as in tests.
    return false;
  }
}
