/** The words of the kernel's command line that name a root on a disk: `root=/dev/vda rootfstype=erofs ro`. */

const DEFAULT_INIT = "/sbin/init";

/** The root that a kernel's command line names. */
export interface DiskRoot {
  /** the disk by the kernel's name for it, `vda`, or by its serial number, which `/dev/disk/by-id/virtio-…` has */
  disk: string;
  fstype: string;
  readOnly: boolean;
  /** program that becomes PID 1 there */
  init: string;
}

/**
 * Reads a kernel's command line; as with the kernel, the last of several words wins.
 *
 * @returns undefined when it names no root
 * @throws Error when it names one in a way that is not supported
 */
export function readDiskRoot(commandLine: string): DiskRoot | undefined {
  const words = commandLine.trim().split(/\s+/);
  const lastValue = (name: string) =>
    words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const root = lastValue("root");
  if (root === undefined) return undefined;
  const disk = /^\/dev\/(?:disk\/by-id\/virtio-)?([a-z0-9]+)$/.exec(root)?.[1];
  if (disk === undefined)
    throw new Error(`root=${root}: only /dev/NAME and /dev/disk/by-id/virtio-SERIAL are supported`);
  const fstype = lastValue("rootfstype");
  if (!fstype) throw new Error("root= needs rootfstype= beside it");
  const readOnly = words.findLast((word) => word === "ro" || word === "rw") !== "rw";
  return { disk, fstype, readOnly, init: lastValue("init") ?? DEFAULT_INIT };
}
