/**
 * netlink without I/O: requests out, answers in, for what the guest asks of its kernel about interfaces, routes and the
 * packet filter. Numbers and layouts are those of Linux's `linux/netlink.h`, `rtnetlink.h` and `nf_tables.h`.
 *
 * @module
 */
export { formatHardwareAddress, parseHardwareAddress } from "./hardware-address.ts";
export type { Address, Network } from "./ip-address.ts";
export {
  AddressError,
  Family,
  formatAddress,
  parseAddress,
  parseNetwork,
  parsePrefix,
} from "./ip-address.ts";
export type { Ack, Message, Request } from "./message.ts";
export { decodeAck, decodeMessages, encodeRequest, join, NLM, NLMSG_DONE, NLMSG_ERROR } from "./message.ts";
export type { Chain, Expression } from "./nftables.ts";
export {
  deleteTable,
  fromNetwork,
  NETLINK_NETFILTER,
  ofKnownConnection,
  ofProtocol,
  redirectTo,
  replaceTable,
  throughLink,
  toPort,
  verdict,
} from "./nftables.ts";
export type { Route } from "./routes.ts";
export { addRoute, decodeRoutes, deleteRoute, dumpRoutes, RTNH_F_ONLINK } from "./routes.ts";
export type { Link, LinkAddress, LinkStats } from "./rtnetlink.ts";
export {
  addAddress,
  addNeighbour,
  decodeAddresses,
  decodeLinkStats,
  decodeLinks,
  deleteAddress,
  dumpAddresses,
  dumpLinks,
  getLink,
  IFF_NOARP,
  NETLINK_ROUTE,
  setLink,
} from "./rtnetlink.ts";
