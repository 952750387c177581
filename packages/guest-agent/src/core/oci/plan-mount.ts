/** Mounts of the OCI specification, each done in the child whose root is the container's. */

import * as sys from "tiny:sys";
import {
  AT_RECURSIVE,
  Errno,
  exists,
  hasErrno,
  isDirectory,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_MOVE,
  MS_RDONLY,
  MS_REC,
} from "@husk/tiny";
import type { Mount } from "@husk/wire/kata";
import { loadModule } from "../../boot/modules.ts";
import { CGROUPS } from "../cgroup/hierarchy.ts";
import { copyTree } from "../mounts/copy-tree.ts";
import { type MountOptions, parseMountOptions } from "../mounts/mount-options.ts";
import { makeMountPoint, readLink } from "../mounts/mount-point.ts";
import type { GuestPath, MountStep } from "../mounts/mount-step.ts";
import { resolvePath } from "../mounts/resolve-path.ts";
import { containerPaths } from "../paths.ts";
import { type IdMaps, mappedId, outsideId } from "../user-namespace.ts";
import { checked, checkPath, checkText, quote, specFault } from "./spec-fault.ts";

/** Options that are for what is mounted below, too: those of a bind, with an "r" before them. */
const RECURSIVE = /^r(ro|rw|(no)?(suid|dev|exec|symfollow|atime|diratime)|(no)?(strictatime|relatime))$/;
/** Option by which a new tmpfs begins with what it covers. */
const COPY_UP = "tmpcopyup";

/** What a mount asks for, its options read. */
interface Wanted extends MountOptions {
  /** `MOUNT_ATTR_*` that it and those below it get and lose */
  treeSet: number;
  treeClear: number;
  copiesUp: boolean;
}

/** Whose mount it is. */
export interface MountOwner {
  containerId: string;
  /** path of its cgroup below the hierarchy */
  cgroup: string;
  /** whether it has a cgroup namespace of its own */
  ownCgroup: boolean;
  /** who the container's users are in the guest, when it has a user namespace */
  ids: IdMaps | undefined;
}

function readOptions({ type, options }: Mount): Wanted {
  const recursive = options.filter((option) => RECURSIVE.test(option));
  const plain = options.filter((option) => !RECURSIVE.test(option) && option !== COPY_UP);
  const tree = parseMountOptions(
    "bind",
    recursive.map((option) => option.slice(1)),
  );
  const wanted = parseMountOptions(type, plain);
  const copiesUp = options.includes(COPY_UP);
  if (copiesUp && type !== "tmpfs") throw specFault(`option "${COPY_UP}" is for a tmpfs`);
  return { ...wanted, treeSet: tree.set, treeClear: tree.clear, copiesUp };
}

function setAttributes(target: string, { set, clear, treeSet, treeClear }: Wanted): void {
  if (set | clear) sys.mountSetattr(target, 0, set, clear);
  if (treeSet | treeClear) sys.mountSetattr(target, AT_RECURSIVE, treeSet, treeClear);
}

/** Binds what is in the guest. Its links lead where they lead there. */
function bindGuest(path: string, destination: string, wanted: Wanted, guest: GuestPath): string {
  const source = resolvePath(guest(""), path, readLink);
  if (!exists(source)) throw new Error(`${quote(path)} is not in the guest`);
  const target = makeMountPoint(destination, isDirectory(source) ? "folder" : "file");
  sys.mount(source, target, null, MS_BIND | (wanted.bind === "tree" ? MS_REC : 0), null);
  return target;
}

function mountNew({ type, source, destination }: Mount, { flags, data }: Wanted, guest: GuestPath): string {
  const target = makeMountPoint(destination, "folder");
  // A device is one of the guest's; what is no device is but a name.
  const device = source.startsWith("/") ? resolvePath(guest(""), source, readLink) : "";
  try {
    sys.mount(device && exists(device) ? device : source || type, target, type, flags, data || null);
  } catch (error) {
    if (hasErrno(error, Errno.ENODEV)) throw new Error(`the guest's kernel has no file system "${type}"`);
    if (hasErrno(error, Errno.EINVAL)) throw new Error(`${type} refuses the options "${data}"`);
    throw error;
  }
  return target;
}

/** Options of a file system with the owners that the guest knows those of the container by; root's, if none are named. */
function ownedData(data: string, ids: IdMaps | undefined): string {
  if (!ids) return data;
  const words = data.split(",").filter((word) => word !== "");
  for (const name of ["uid", "gid"])
    if (!words.some((word) => word.startsWith(`${name}=`))) words.push(`${name}=0`);
  return words
    .map((word) => {
      const [, name, id] = /^([ug]id)=(\d+)$/.exec(word) ?? [];
      if (name === undefined) return word;
      const ranges = name === "uid" ? ids.users : ids.groups;
      return `${name}=${outsideId(ranges, Number(id)) ?? mappedId("user", ranges, 0)}`;
    })
    .join(",");
}

/** A tmpfs can be written to until all that is made in it is made. */
function mountTmpfs(
  mount: Mount,
  wanted: Wanted,
  guest: GuestPath,
  { containerId, ids }: MountOwner,
): string {
  const writable = { ...wanted, flags: wanted.flags & ~MS_RDONLY, data: ownedData(wanted.data, ids) };
  if (!wanted.copiesUp) return mountNew(mount, writable, guest);
  const target = makeMountPoint(mount.destination, "folder");
  const aside = guest(containerPaths(containerId).volume);
  sys.mount("tmpfs", aside, "tmpfs", writable.flags, writable.data || null);
  copyTree(target, aside);
  sys.mount(aside, target, null, MS_MOVE, null);
  return target;
}

/** Its own part of the hierarchy: all there is in its namespace, or a part of the guest's. */
function mountCgroup(mount: Mount, wanted: Wanted, guest: GuestPath, owner: MountOwner): string {
  if (owner.ownCgroup) return mountNew({ ...mount, type: "cgroup2" }, { ...wanted, data: "" }, guest);
  const target = bindGuest(`${CGROUPS}/${owner.cgroup}`, mount.destination, wanted, guest);
  setAttributes(target, wanted);
  return target;
}

/** The terminals that the agent has mounted, as it opens them itself. */
function bindTerminals({ destination }: Mount, wanted: Wanted, guest: GuestPath, owner: MountOwner): string {
  const target = bindGuest(containerPaths(owner.containerId).pts, destination, wanted, guest);
  setAttributes(target, wanted);
  return target;
}

function mountOne(mount: Mount, wanted: Wanted, guest: GuestPath, owner: MountOwner): string {
  if (wanted.bind !== "no") {
    const target = bindGuest(mount.source, mount.destination, wanted, guest);
    setAttributes(target, wanted);
    return target;
  }
  if (mount.type === "tmpfs") return mountTmpfs(mount, wanted, guest, owner);
  if (mount.type === "cgroup" || mount.type === "cgroup2") return mountCgroup(mount, wanted, guest, owner);
  if (mount.type === "devpts") return bindTerminals(mount, wanted, guest, owner);
  return mountNew(mount, wanted, guest);
}

/** A mount, and what is left to do when all is made that is in it. */
export interface OciMountStep extends MountStep {
  finish(): void;
}

/** Plans a mount. @throws TtrpcError INVALID_ARGUMENT for what it lacks, and options that could have no effect */
export function planOciMount(mount: Mount, owner: MountOwner): OciMountStep {
  const { destination, source, type } = mount;
  checkPath("the destination of a mount", destination);
  const what = `mount ${quote(destination)}`;
  for (const text of [source, type, ...mount.options]) checkText(what, text);
  const wanted = checked(what, () => readOptions(mount));
  const isBind = wanted.bind !== "no";
  if (isBind) checkPath(`the source of ${what}`, source);
  else if (type === "") throw specFault(`${what} has no type`);
  else loadModule(type);
  const isClosed = type === "tmpfs" && !isBind && (wanted.flags & MS_RDONLY) !== 0;
  let target = "";
  return {
    destination,
    mount: (guest) => {
      target = mountOne(mount, wanted, guest, owner);
      for (const flags of wanted.propagation) sys.mount(null, target, null, flags, null);
    },
    finish: () => {
      if (isClosed) sys.mountSetattr(target, 0, MOUNT_ATTR_RDONLY, 0);
    },
  };
}

/** Options of a container's terminals, when its specification has no file system of them. */
const TERMINAL_OPTIONS = "newinstance,ptmxmode=0666,mode=0620,gid=5";

/** The options of the container's file system of terminals. */
export function terminalOptions(mounts: readonly Mount[], ids: IdMaps | undefined): string {
  const mount = mounts.find(({ type }) => type === "devpts");
  if (!mount) return ownedData(TERMINAL_OPTIONS, ids);
  const { data } = parseMountOptions("devpts", mount.options);
  const words = data.split(",").filter((word) => word !== "" && word !== "newinstance");
  return ownedData(["newinstance", ...words].join(","), ids);
}
