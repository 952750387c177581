/** The guest's network interfaces: set up and removed as the host says. Reference: hyperstart.md 2.12. */
import { errorText, exists, writeControl } from "@husk/tiny";
import type { Interface, IpAddress } from "@husk/wire/hyperstart";
import {
  type Address,
  addAddress,
  addNeighbour,
  deleteAddress,
  type Link,
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
import { askFor, leaveAddressesToHost } from "./ipv6.ts";
import { findLinkByAddress, findLinkByName, renameLink } from "./links.ts";
import { type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Milliseconds that an interface has to appear: it may be hot-plugged just before the command. */
const DEADLINE_MS = 10_000;

interface AddressChange {
  /** as the host wrote it, for errors */
  text: string;
  remove: boolean;
  address: Network;
}

function parseChange({ ipAddress, netMask }: IpAddress): AddressChange {
  const remove = ipAddress.startsWith("-");
  const address = parseAddress(remove ? ipAddress.slice(1) : ipAddress);
  const prefix = parsePrefix(netMask, address.family);
  return { text: `${ipAddress}/${prefix}`, remove, address: { ...address, prefix } };
}

interface Neighbour {
  /** its address as the host wrote it, for errors */
  text: string;
  address: Address;
  hardware: Uint8Array;
}

/** What an interface is to have, checked before anything is done. */
interface Settings {
  name: string;
  /** largest packet in bytes, 0 leaves it as it is */
  mtu: number;
  changes: AddressChange[];
  neighbours: Neighbour[];
}

function parseSettings({ newDeviceName, mtu, ipAddresses, neighbors }: Interface): Settings {
  return {
    name: newDeviceName,
    mtu,
    changes: ipAddresses.filter(({ ipAddress }) => ipAddress !== "").map(parseChange),
    neighbours: neighbors.map(({ ipAddress, macAddr }) => ({
      text: ipAddress,
      address: parseAddress(ipAddress),
      hardware: parseHardwareAddress(macAddr),
    })),
  };
}

/** Does one step; what the kernel says against it is told with what the step was. */
function attempt(what: string, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    throw new Error(`cannot ${what}: ${errorText(error)}`);
  }
}

function configure(socket: NetlinkSocket, link: Link, { name, mtu, changes, neighbours }: Settings): void {
  const { index } = link;
  if (name) attempt(`rename it to "${name}"`, () => renameLink(socket, link, name));
  if (mtu > 0) attempt(`set its MTU to ${mtu}`, () => socket.ask(setLink(index, { mtu })));
  const given = changes.filter(({ remove }) => !remove).map(({ address }) => address);
  attempt("quieten IPv6", () => leaveAddressesToHost(name || link.name, given));
  for (const { text, remove, address } of changes) {
    const [verb, change] = remove ? (["remove", deleteAddress] as const) : (["add", addAddress] as const);
    attempt(`${verb} address ${text}`, () => askFor(socket, address.family, change(index, address)));
  }
  attempt("switch it on", () => socket.ask(setLink(index, { up: true })));
  // Not before it is on: an interface that is off has no neighbours.
  for (const { text, address, hardware } of neighbours) {
    const request = addNeighbour(index, address, hardware);
    attempt(`add neighbour ${text}`, () => askFor(socket, address.family, request));
  }
}

/**
 * Sets an interface up, waiting for it when it is just being plugged in.
 *
 * @throws Error naming the interface and what could not be done
 */
export async function setUpInterface(spec: Interface): Promise<void> {
  const { device, macAddr } = spec;
  if (!device && !macAddr) throw new Error("an interface needs a device or a macAddr");
  try {
    const settings = parseSettings(spec);
    loadModule("virtio_net");
    const look = () =>
      withNetlink(NETLINK_ROUTE, (socket) =>
        macAddr ? findLinkByAddress(socket, macAddr) : findLinkByName(socket, device),
      );
    if (!look()) rescanPci();
    const link = await waitForDevice("the device", DEADLINE_MS, look);
    withNetlink(NETLINK_ROUTE, (socket) => configure(socket, link, settings));
  } catch (error) {
    throw new Error(`network interface "${macAddr ?? device}": ${errorText(error)}`);
  }
}

/** Unplugs the PCI function that an interface belongs to. @throws Error naming the interface */
export function removeInterface({ device }: Interface): void {
  const called = `network interface "${device}"`;
  const link = withNetlink(NETLINK_ROUTE, (socket) => findLinkByName(socket, device));
  if (!link) throw new Error(`${called}: no such device`);
  // A virtio device is a child of its PCI function; others are the function.
  const folder = `/sys/class/net/${link.name}/device`;
  const remove = [`${folder}/remove`, `${folder}/../remove`].find(exists);
  if (!remove) throw new Error(`${called}: it is not on the PCI bus`);
  writeControl(remove, "1");
}
