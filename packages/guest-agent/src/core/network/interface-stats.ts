/** What has gone through the guest's interfaces. Reference: virtcontainers.md 8.1. */

import type { NetworkStats } from "@husk/wire/kata";
import { decodeLinkStats, dumpLinks, NETLINK_ROUTE } from "@husk/wire/netlink";
import { withNetlink } from "./netlink-socket.ts";

const LOOPBACK_NAME = "lo";

/** The figures of each interface, but for the loopback one. */
export function interfaceStats(): Omit<NetworkStats, "$unknown">[] {
  return withNetlink(NETLINK_ROUTE, (socket) => decodeLinkStats(socket.ask(dumpLinks()))).filter(
    ({ name }) => name !== LOOPBACK_NAME,
  );
}
