import * as sys from "tiny:sys";
import { S_IFBLK, S_IFCHR, S_IFIFO } from "@husk/tiny";
import type { LinuxDevice } from "@husk/wire/kata";
import type { DeviceNode } from "../devices.ts";
import { type IdMaps, mappedId } from "../user-namespace.ts";
import { checkPath, quote, specFault } from "./spec-fault.ts";

const KINDS = new Map([
  ["c", S_IFCHR],
  ["u", S_IFCHR],
  ["b", S_IFBLK],
  ["p", S_IFIFO],
]);

/** Permissions of a node that has none of its own. */
const DEFAULT_MODE = 0o666;
/** Largest numbers of devices, as the kernel has them. */
const [MAX_MAJOR, MAX_MINOR] = [0xfffn, 0xfffffn];

function deviceNumber(what: string, major: bigint, minor: bigint): number {
  if (major < 0n || minor < 0n || major > MAX_MAJOR || minor > MAX_MINOR)
    throw specFault(`${what}: ${major}:${minor} is not the number of a device`);
  return sys.makedev(Number(major), Number(minor));
}

/** A node with the owners that the guest knows those of the container by. */
export function ownedNode(node: DeviceNode, ids: IdMaps | undefined): DeviceNode {
  if (!ids) return node;
  return {
    ...node,
    uid: mappedId("user", ids.users, node.uid),
    gid: mappedId("group", ids.groups, node.gid),
  };
}

/** The node of a device of the specification. @throws TtrpcError INVALID_ARGUMENT for one that cannot be */
export function planOciDevice({ Path, Type, Major, Minor, FileMode, UID, GID }: LinuxDevice): DeviceNode {
  checkPath("the path of a device", Path);
  const what = `device ${quote(Path)}`;
  const kind = KINDS.get(Type);
  if (kind === undefined) throw specFault(`${what} has an unknown type ${quote(Type)}`);
  return {
    path: Path,
    mode: kind | (FileMode & 0o7777 || DEFAULT_MODE),
    number: kind === S_IFIFO ? 0 : deviceNumber(what, Major, Minor),
    uid: UID,
    gid: GID,
  };
}
