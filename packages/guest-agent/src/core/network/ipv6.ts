/** What is special about IPv6: the kernel may lack it, and does things of its own accord. */
import { Errno, exists, writeControl } from "@husk/tiny";
import { type Address, Family, type Message, type Request } from "@husk/wire/netlink";
import { NetlinkError, type NetlinkSocket } from "./netlink-socket.ts";

/** Asks for something of an address family. @throws Error that says so when the kernel does not know the family */
export function askFor(socket: NetlinkSocket, family: Family, request: Request): Message[] {
  try {
    return socket.ask(request);
  } catch (error) {
    const isUnknown = error instanceof NetlinkError && error.errno === Errno.EOPNOTSUPP;
    throw isUnknown && family === Family.INET6 ? new Error("this kernel has no IPv6") : error;
  }
}

/** `fe80::/10` */
const isLinkLocal = ({ family, bytes: [first = 0, second = 0] }: Address) =>
  family === Family.INET6 && first === 0xfe && (second & 0xc0) === 0x80;

/** Value of `addr_gen_mode` for an interface that makes no link-local address of its hardware address. */
const NO_ADDRESS = "1";

/**
 * Leaves an interface's addresses and routes to the host, which tells what its namespace has of whoever gave them: no
 * more come by router advertisements, and none is tried for duplicates, which has been done. The link-local address is
 * the kernel's own, made of the hardware address, unless the host gives one.
 */
export function leaveAddressesToHost(name: string, addresses: readonly Address[]): void {
  const folder = `/proc/sys/net/ipv6/conf/${name}`;
  if (!exists(folder)) return;
  writeControl(`${folder}/accept_ra`, "0");
  writeControl(`${folder}/accept_dad`, "0");
  if (addresses.some(isLinkLocal)) writeControl(`${folder}/addr_gen_mode`, NO_ADDRESS);
}
