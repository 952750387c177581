/** Interfaces as the Kata door has them: told as a whole, and listed. Reference: virtcontainers.md 8.2. */

import { Errno, errorText } from "@husk/tiny";
import { type Interface, type IPAddress, IPFamily } from "@husk/wire/kata";
import {
  addAddress,
  decodeAddresses,
  decodeLinks,
  deleteAddress,
  dumpAddresses,
  dumpLinks,
  Family,
  formatAddress,
  IFF_NOARP,
  type Link,
  type LinkAddress,
  NETLINK_ROUTE,
  type Network,
  parseAddress,
  parseHardwareAddress,
  parsePrefix,
  setLink,
} from "@husk/wire/netlink";
import { loadModule } from "../../boot/modules.ts";
import { waitForDevice } from "../../boot/uevents.ts";
import { rescanPci } from "../pci.ts";
import { findPciInterface } from "./find-pci-interface.ts";
import { askFor, leaveAddressesToHost } from "./ipv6.ts";
import { findLinkByAddress, findLinkByName, swapName } from "./links.ts";
import { NetlinkError, type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Milliseconds that an interface has to appear: it may be hot-plugged just before the request. */
const DEADLINE_MS = 10_000;
/** Most addresses of an interface. */
const MAX_ADDRESSES = 256;
/** Largest packet that any link has, in bytes. */
const MAX_MTU = 0x7fff_ffff;

/** What an interface is to have, checked before anything is done. */
interface Settings {
  name: string;
  /** largest packet in bytes, 0 leaves it as it is */
  mtu: number;
  addresses: Network[];
  noArp: boolean;
}

function parseNetwork({ address, mask }: IPAddress): Network {
  const parsed = parseAddress(address);
  return { ...parsed, prefix: parsePrefix(mask, parsed.family) };
}

function parseSettings({ name, mtu, IPAddresses, rawFlags }: Interface): Settings {
  if (mtu > BigInt(MAX_MTU)) throw new Error(`an MTU of ${mtu} is too large`);
  if (IPAddresses.length > MAX_ADDRESSES)
    throw new Error(`${IPAddresses.length} addresses are more than ${MAX_ADDRESSES}`);
  const noArp = (rawFlags & IFF_NOARP) !== 0;
  return { name, mtu: Number(mtu), addresses: IPAddresses.map(parseNetwork), noArp };
}

const isSame = (one: Network, other: Network) =>
  one.family === other.family &&
  one.prefix === other.prefix &&
  one.bytes.every((byte, at) => byte === other.bytes[at]);

function listAddressesOf(socket: NetlinkSocket, index: number): LinkAddress[] {
  return decodeAddresses(socket.ask(dumpAddresses())).filter(({ link }) => link === index);
}

/** Does one step; what the kernel says against it is told with what the step was. */
function attempt(what: string, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    throw new Error(`cannot ${what}: ${errorText(error)}`);
  }
}

const formatNetwork = (network: Network) => `${formatAddress(network)}/${network.prefix}`;

/** Takes an address away, unless it went with another: the first of an IPv4 network takes the others along. */
function removeAddress(socket: NetlinkSocket, link: number, address: Network): void {
  try {
    socket.ask(deleteAddress(link, address));
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === Errno.EADDRNOTAVAIL)) throw error;
  }
}

/** Gives the link these addresses and no others, but for the one that IPv6 has on every link. */
function declareAddresses(socket: NetlinkSocket, link: number, wanted: readonly Network[]): void {
  const isKernels = ({ family, isLinkLocal }: LinkAddress) => family === Family.INET6 && isLinkLocal;
  for (const address of listAddressesOf(socket, link)) {
    if (isKernels(address) || wanted.some((one) => isSame(one, address))) continue;
    attempt(`remove address ${formatNetwork(address)}`, () => removeAddress(socket, link, address));
  }
  const left = listAddressesOf(socket, link);
  for (const address of wanted) {
    if (left.some((one) => isSame(one, address))) continue;
    const request = addAddress(link, address);
    attempt(`add address ${formatNetwork(address)}`, () => askFor(socket, address.family, request));
  }
}

function configure(socket: NetlinkSocket, link: Link, { name, mtu, addresses, noArp }: Settings): void {
  const { index } = link;
  if (name) attempt(`rename it to "${name}"`, () => swapName(socket, link, name));
  if (mtu > 0) attempt(`set its MTU to ${mtu}`, () => socket.ask(setLink(index, { mtu })));
  attempt("quieten IPv6", () => leaveAddressesToHost(name || link.name, addresses));
  declareAddresses(socket, index, addresses);
  attempt("switch it on", () => socket.ask(setLink(index, { up: true, ...(noArp && { noArp }) })));
}

function findLink(socket: NetlinkSocket, { hwAddr, devicePath }: Interface): Link | undefined {
  if (hwAddr !== "") return findLinkByAddress(socket, hwAddr);
  const name = findPciInterface(devicePath);
  return name === undefined ? undefined : findLinkByName(socket, name);
}

function describe(link: Link, addresses: readonly LinkAddress[]) {
  const own = addresses.filter(({ link: index }) => index === link.index);
  return {
    device: link.name,
    name: link.name,
    mtu: BigInt(link.mtu),
    hwAddr: link.macAddr,
    type: link.kind,
    rawFlags: link.flags,
    IPAddresses: own.map((address) => ({
      family: address.family === Family.INET ? IPFamily.v4 : IPFamily.v6,
      address: formatAddress(address),
      mask: String(address.prefix),
    })),
  };
}

/** An interface as it is told of. */
type InterfaceState = ReturnType<typeof describe>;

/** All interfaces of the guest, as they are. */
export function listInterfaces(): InterfaceState[] {
  return withNetlink(NETLINK_ROUTE, (socket) => {
    const addresses = decodeAddresses(socket.ask(dumpAddresses()));
    return decodeLinks(socket.ask(dumpLinks())).map((link) => describe(link, addresses));
  });
}

/**
 * Sets an interface up as told, waiting for it when it is just being plugged in; gives it as it is then. It is found by
 * its hardware address or, without one, by its path on the PCI bus.
 *
 * @throws Error naming the interface and what could not be done
 */
export async function updateInterface(spec: Interface): Promise<InterfaceState> {
  const { hwAddr, devicePath, name } = spec;
  const called = hwAddr || devicePath;
  if (!called) throw new Error(`network interface "${name}": it needs a hwAddr or a devicePath`);
  try {
    const settings = parseSettings(spec);
    if (hwAddr !== "") parseHardwareAddress(hwAddr);
    loadModule("virtio_net");
    const look = () => withNetlink(NETLINK_ROUTE, (socket) => findLink(socket, spec));
    if (!look()) rescanPci();
    const { index } = await waitForDevice("the device", DEADLINE_MS, look);
    return withNetlink(NETLINK_ROUTE, (socket) => {
      // It may have been given another name while it was waited for.
      const byIndex = () => decodeLinks(socket.ask(dumpLinks())).find((one) => one.index === index);
      const link = byIndex();
      if (link === undefined) throw new Error("it has gone again");
      configure(socket, link, settings);
      const state = describe(byIndex() ?? link, listAddressesOf(socket, index));
      return { ...state, device: spec.device, devicePath };
    });
  } catch (error) {
    throw new Error(`network interface "${called}": ${errorText(error)}`);
  }
}
