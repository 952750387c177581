/**
 * The root file system of a container, set up by the forked child in the container's own mount namespace: whatever
 * fails here ends with that child, and its mounts with it. Reference: seed 001, step 8.
 */

import * as sys from "tiny:sys";
import {
  Errno,
  exists,
  hasErrno,
  isDirectory,
  MNT_DETACH,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  makeDirectories,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  S_IFCHR,
  withFile,
} from "@husk/tiny";
import { containerPaths, podPaths } from "./paths.ts";

const READ_ONLY_TYPES = ["erofs", "squashfs", "iso9660"];

/** What the root is made from. */
export interface RootfsSource {
  containerId: string;
  /** node of the disk with the image */
  device: string;
  /** type of the file system on it */
  fstype: string;
  /** folder in the image that is the root; "" for all of it */
  folder: string;
  /** whether the container may write, and where that goes: nowhere, into memory, or to the disk */
  mode: "read-only" | "overlay" | "writable";
}

/** True for a file system that cannot be written to, whatever the disk allows. */
export function isReadOnlyType(fstype: string): boolean {
  return READ_ONLY_TYPES.includes(fstype);
}

function mountImage(source: RootfsSource): string {
  const paths = containerPaths(source.containerId);
  const plain = source.mode !== "overlay";
  const image = plain ? paths.root : paths.image;
  const data = source.fstype === "xfs" ? "nouuid" : null;
  const readOnly = source.mode === "writable" ? 0 : MS_RDONLY;
  sys.mount(source.device, image, source.fstype, readOnly | MS_NODEV, data);
  if (plain) return image;
  // What the container writes lives in memory and goes with the mount namespace.
  sys.mount("tmpfs", paths.scratch, "tmpfs", MS_NODEV, "mode=755");
  const [upper, work] = [`${paths.scratch}/upper`, `${paths.scratch}/work`];
  sys.mkdir(upper, 0o755);
  sys.mkdir(work, 0o755);
  const options = `lowerdir=${image},upperdir=${upper},workdir=${work}`;
  sys.mount("overlay", paths.root, "overlay", MS_NODEV, options);
  return paths.root;
}

/** A folder of the image; an image's own links may not lead out of it. */
function enterFolder(root: string, folder: string): void {
  sys.chdir(root);
  for (const name of folder.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") throw new Error(`rootfs "${folder}" leaves the image`);
    if ((sys.lstat(name).mode & 0o170000) !== 0o040000)
      throw new Error(`rootfs "${folder}" is not a folder of the image`);
    sys.chdir(name);
  }
  // pivot_root wants a mount point.
  if (folder.replaceAll("/", "") !== "") {
    sys.mount(".", ".", null, MS_BIND | MS_REC, null);
    sys.chdir(`${root}/${folder}`);
  }
}

/** An empty file to bind over; on a read-only root it is there already, or the bind is left out. */
function touch(path: string): boolean {
  if (exists(path)) return true;
  try {
    withFile(path, O_WRONLY | O_CREAT, 0o644, () => {});
    return true;
  } catch {
    return false;
  }
}

const DEVICES: [name: string, major: number, minor: number][] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
];

const DEVICE_LINKS: [name: string, target: string][] = [
  ["ptmx", "pts/ptmx"],
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
];

function makeFolder(path: string): void {
  if (!isDirectory(path)) makeDirectories(path);
}

function mountDev(old: (path: string) => string, containerId: string): void {
  makeFolder("/dev");
  sys.mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
  for (const [name, major, minor] of DEVICES) {
    sys.mknod(`/dev/${name}`, S_IFCHR | 0o666, sys.makedev(major, minor));
    sys.chmod(`/dev/${name}`, 0o666);
  }
  for (const [name, target] of DEVICE_LINKS) sys.symlink(target, `/dev/${name}`);
  sys.mkdir("/dev/pts", 0o755);
  sys.mount(old(containerPaths(containerId).pts), "/dev/pts", null, MS_BIND, null);
  sys.mkdir("/dev/shm", 0o1777);
  sys.mount(old(podPaths.shm), "/dev/shm", null, MS_BIND, null);
}

function mountSystem(old: (path: string) => string, containerId: string): void {
  const quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  for (const folder of ["/proc", "/sys"]) makeFolder(folder);
  // The child is in the pod's PID namespace, so this is the pod's view.
  sys.mount("proc", "/proc", "proc", quiet, null);
  sys.mount("sysfs", "/sys", "sysfs", quiet | MS_RDONLY, null);
  mountDev(old, containerId);
  for (const [file, target] of [
    [podPaths.hostname, "/etc/hostname"],
    [podPaths.resolvConf, "/etc/resolv.conf"],
  ] as const) {
    if (!exists(old(file)) || !isDirectory("/etc")) continue;
    if (touch(target)) sys.mount(old(file), target, null, MS_BIND, null);
  }
}

/**
 * Mounts the image and makes it the root of this process. The system's own mounts are made after the pivot, with
 * absolute names: a link in the image then leads nowhere but into the image. Until the old root is let go, it is the
 * working directory, so what is bound from there is named without the first slash.
 */
export function enterRootfs(source: RootfsSource): void {
  sys.mount(null, "/", null, MS_REC | MS_PRIVATE, null);
  withFile("/", O_RDONLY, 0, (oldRoot) => {
    enterFolder(mountImage(source), source.folder);
    sys.pivotRoot(".", ".");
    sys.fchdir(oldRoot);
  });
  mountSystem((path) => path.slice(1), source.containerId);
  sys.umount(".", MNT_DETACH);
  sys.chdir("/");
}

/** The files of the "init layer" that images often lack. On a root that cannot be written they are left out. */
export function makeInitLayer(): void {
  makeFolder("/etc");
  touch("/etc/hosts");
  try {
    sys.symlink("/proc/mounts", "/etc/mtab");
  } catch (error) {
    if (!hasErrno(error, Errno.EEXIST)) throw error;
  }
}

/** Makes the folders of a container, in the agent's own namespace, where they stay empty. */
export function makeContainerFolders(containerId: string): void {
  const paths = containerPaths(containerId);
  for (const folder of [paths.pts, paths.image, paths.scratch, paths.root]) makeDirectories(folder, 0o700);
  sys.mount("devpts", paths.pts, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
}

/** Undoes {@link makeContainerFolders}. */
export function removeContainerFolders(containerId: string): void {
  const paths = containerPaths(containerId);
  sys.umount(paths.pts, MNT_DETACH);
  for (const folder of [paths.pts, paths.image, paths.scratch, paths.root, paths.folder]) sys.rmdir(folder);
}
