import { existsSync, statSync } from "node:fs";
import { HuskError } from "../../errors/index.ts";
import { type NamespacePlace, runInNamespace } from "../namespace-command.ts";

/** Prints the device number of a macvtap interface: only a sysfs that is mounted in a namespace knows its links. */
const SCRIPT = `mount -t sysfs sysfs /sys; cat "/sys/class/net/$0/macvtap/tap$1/dev"`;
/** Where numbers of our links begin: others get theirs from 1 on. */
const FIRST_INDEX = 1 << 24;

/** The device node of a macvtap interface. */
function macvtapNode(index: number): string {
  return `/dev/tap${index}`;
}

/** A number for a new macvtap interface that no other has, in any namespace: `/dev` has the nodes of all. */
export function chooseMacvtapIndex(): number {
  const index = FIRST_INDEX + Math.floor(Math.random() * (2 ** 31 - FIRST_INDEX));
  return existsSync(macvtapNode(index)) ? chooseMacvtapIndex() : index;
}

/**
 * Checks that the device node is that of this macvtap interface, and not of another namespace's with the same number.
 * @returns its path
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function findMacvtapNode(place: NamespacePlace, name: string, index: number): Promise<string> {
  const path = macvtapNode(index);
  const sh = ["--mount", "--propagation", "private", "--", "sh", "-ec", SCRIPT, name, String(index)];
  const { stdout, failure } = await runInNamespace(place, "unshare", sh);
  const unusable = (why: string, hint?: string) =>
    new HuskError("ERR_NETWORK_LINK", `${name} of ${place.netNSPath} cannot be used: ${why}`, { hint });
  if (failure !== undefined) throw unusable(failure);
  const node = statSync(path, { throwIfNoEntry: false });
  if (!node?.isCharacterDevice()) {
    throw unusable(`there is no device ${path}`, "Macvtap needs a devtmpfs on /dev; tcFilter does without.");
  }
  const [major, minor] = stdout.toString().trim().split(":").map(Number);
  if (major === majorOf(node.rdev) && minor === minorOf(node.rdev)) return path;
  throw unusable(
    `${path} is another namespace's`,
    `Make the interface with another number: ip link add … index N.`,
  );
}

/** Linux' device numbers: 12 bits of major in the middle, minor around it. */
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}

function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}
