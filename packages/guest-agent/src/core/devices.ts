/** The device nodes of a container: those that every program expects, and those that the host asks for. */

import * as sys from "tiny:sys";
import { Errno, errorText, exists, hasErrno, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from "@husk/tiny";
import type { Device } from "@husk/wire/hyperstart";
import { findBlockDevice } from "./block-device.ts";
import { makeFolder, resolveInContainer } from "./mounts/mount-point.ts";

/** A node to be made. */
export interface DeviceNode {
  /** path in the container */
  path: string;
  /** kind and permission bits */
  mode: number;
  /** the kernel's number of the device */
  number: number;
  uid: number;
  gid: number;
}

const KINDS = { c: S_IFCHR, u: S_IFCHR, b: S_IFBLK, p: S_IFIFO, S_IFMT };

const STANDARD: [name: string, major: number, minor: number][] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
];

const LINKS: [name: string, target: string][] = [
  ["ptmx", "pts/ptmx"],
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
];

/** The nodes that are in every container's /dev. */
export function standardDevices(): DeviceNode[] {
  return STANDARD.map(([name, major, minor]) => ({
    path: `/dev/${name}`,
    mode: S_IFCHR | 0o666,
    number: sys.makedev(major, minor),
    uid: 0,
    gid: 0,
  }));
}

/** Makes what is in every container's /dev, which is empty. @param dev its path without links */
export function makeStandardDevices(dev: string): void {
  // Without a umask, and in a folder of ours, they are what they are to be from the start.
  const mask = sys.umask(0);
  for (const { path, mode, number } of standardDevices())
    sys.mknod(`${dev}/${path.slice("/dev/".length)}`, mode, number);
  sys.umask(mask);
  for (const [name, target] of LINKS) sys.symlink(target, `${dev}/${name}`);
}

/** Makes the links of every container's /dev; what has such a name already is left as it is. */
export function makeStandardLinks(): void {
  const dev = makeFolder("/dev");
  for (const [name, target] of LINKS) {
    try {
      sys.symlink(target, `${dev}/${name}`);
    } catch (error) {
      if (!hasErrno(error, Errno.EEXIST, Errno.EROFS)) throw error;
    }
  }
}

/** Whether there is a node of this kind and number. */
function isThere(path: string, { mode, number }: DeviceNode): boolean {
  try {
    const found = sys.lstatIfThere(path);
    if (!found || (found.mode & S_IFMT) !== (mode & S_IFMT)) return false;
    return (mode & S_IFMT) === S_IFIFO || found.rdev === number;
  } catch {
    return false;
  }
}

/** Makes a node in the container, whose root the caller has entered, unless it is there. */
export function placeDevice(node: DeviceNode): void {
  try {
    const path = resolveInContainer(node.path);
    if (isThere(path, node)) return;
    makeFolder(path.slice(0, path.lastIndexOf("/")));
    if (exists(path)) sys.unlink(path);
    makeNode(path, node);
  } catch (error) {
    throw new Error(`device "${node.path}": ${errorText(error)}`);
  }
}

/** Finds out what the host cannot know: the numbers that a disk has in this guest. */
export async function planDevice(device: Device): Promise<DeviceNode> {
  const { path, type, major, minor, disk, addr, fileMode = 0o666, uid = 0, gid = 0 } = device;
  if (disk !== undefined && type !== "b") throw new Error(`device "${path}": a disk is a block device`);
  const number =
    disk === undefined ? sys.makedev(major, minor) : sys.stat(await findBlockDevice(disk, addr)).rdev;
  return { path, mode: KINDS[type] | fileMode, number: type === "p" ? 0 : number, uid, gid };
}

/** Makes a node in the container, whose root the caller has entered; one that is there is replaced. */
export function makeDevice(node: DeviceNode): void {
  try {
    const path = resolveInContainer(node.path);
    // Every other file system of a container is nodev.
    if ((node.mode & S_IFMT) !== S_IFIFO && !path.startsWith("/dev/"))
      throw new Error("only /dev can have devices");
    makeFolder(path.slice(0, path.lastIndexOf("/")));
    if (exists(path)) sys.unlink(path);
    makeNode(path, node);
  } catch (error) {
    throw new Error(`device "${node.path}": ${errorText(error)}`);
  }
}

function makeNode(path: string, { mode, number, uid, gid }: Omit<DeviceNode, "path">): void {
  sys.mknod(path, mode, number);
  sys.chown(path, uid, gid);
  // Whatever the umask took away.
  sys.chmod(path, mode & 0o7777);
}
