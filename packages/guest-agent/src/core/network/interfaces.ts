/** The guest's network interfaces: set up and removed as the host says. Reference: hyperstart.md 2.12. */

import { Errno, errorText, exists, writeControl } from "@husk/tiny";
import type { Interface, IpAddress } from "@husk/wire/hyperstart";
import {
  addAddress,
  decodeLinks,
  deleteAddress,
  dumpLinks,
  getLink,
  type Link,
  NETLINK_ROUTE,
  type Network,
  parseAddress,
  parsePrefix,
  setLink,
} from "@husk/wire/netlink";
import { loadModule } from "../../boot/modules.ts";
import { waitForDevice } from "../../boot/uevents.ts";
import { rescanPci } from "../pci.ts";
import { NetlinkError, type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Milliseconds that an interface has to appear: it may be hot-plugged just before the command. */
const DEADLINE_MS = 2000;

/** Index of the loopback interface in every network namespace. */
export const LOOPBACK = 1;

/** Switches the loopback interface on, which also gives it 127.0.0.1 and ::1. */
export function raiseLoopback(): void {
  withNetlink(NETLINK_ROUTE, (socket) => socket.ask(setLink(LOOPBACK, { up: true })));
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

function findLink(socket: NetlinkSocket, { device, macAddr }: Interface): Link | undefined {
  if (!macAddr) return findLinkByName(socket, device);
  const wanted = macAddr.toLowerCase().replaceAll("-", ":");
  return decodeLinks(socket.ask(dumpLinks())).find((link) => link.macAddr === wanted);
}

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

/** Does one step; what the kernel says against it is told with what the step was. */
function attempt(what: string, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    throw new Error(`cannot ${what}: ${errorText(error)}`);
  }
}

function configure(
  socket: NetlinkSocket,
  link: Link,
  spec: Interface,
  changes: readonly AddressChange[],
): void {
  const name = spec.newDeviceName;
  if (name && name !== link.name) {
    // The kernel renames only what is down.
    attempt(`rename it to "${name}"`, () => {
      if (link.up) socket.ask(setLink(link.index, { up: false }));
      socket.ask(setLink(link.index, { name }));
    });
  }
  if (spec.mtu > 0)
    attempt(`set its MTU to ${spec.mtu}`, () => socket.ask(setLink(link.index, { mtu: spec.mtu })));
  for (const { text, remove, address } of changes) {
    if (remove) attempt(`remove address ${text}`, () => socket.ask(deleteAddress(link.index, address)));
    else attempt(`add address ${text}`, () => socket.ask(addAddress(link.index, address)));
  }
  attempt("switch it on", () => socket.ask(setLink(link.index, { up: true })));
}

/**
 * Sets an interface up, waiting for it when it is just being plugged in.
 *
 * @throws Error naming the interface and what could not be done
 */
export async function setUpInterface(spec: Interface): Promise<void> {
  if (!spec.device && !spec.macAddr) throw new Error("an interface needs a device or a macAddr");
  const called = `network interface "${spec.macAddr ?? spec.device}"`;
  try {
    const changes = spec.ipAddresses.filter(({ ipAddress }) => ipAddress !== "").map(parseChange);
    loadModule("virtio_net");
    const look = () => withNetlink(NETLINK_ROUTE, (socket) => findLink(socket, spec));
    if (!look()) rescanPci();
    const link = await waitForDevice("the device", DEADLINE_MS, look);
    withNetlink(NETLINK_ROUTE, (socket) => configure(socket, link, spec, changes));
  } catch (error) {
    throw new Error(`${called}: ${errorText(error)}`);
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
