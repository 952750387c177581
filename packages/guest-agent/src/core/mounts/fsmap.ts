/** Folders and files of a share, bound into a container. Reference: hyperstart.md 2.3, 4.5. */

import { exists, isDirectory } from "@husk/tiny";
import type { Fsmap } from "@husk/wire/hyperstart";
import { findBlockDevice } from "../block-device.ts";
import { copyTree } from "./copy-tree.ts";
import { bindTree, makeMountPoint, readLink } from "./mount-point.ts";
import type { MountStep } from "./mount-step.ts";
import { resolvePath } from "./resolve-path.ts";
import type { Shares } from "./shares.ts";
import { makeDataFolder } from "./volumes.ts";

/** What an entry binds: a path below a folder of the guest. */
async function findSource(entry: Fsmap, shares: Shares): Promise<{ folder: string; path: string }> {
  if (entry.scsiAddr) return { folder: "", path: await findBlockDevice("", entry.scsiAddr) };
  if (entry.absolutePath) return { folder: "", path: entry.source };
  return { folder: await shares.mount(entry.tag), path: entry.source };
}

/**
 * Plans a folder or file of a share.
 *
 * @param initialize whether this is the container's first start, when a docker volume gets what the image has in its place
 */
export async function planFsmap(entry: Fsmap, shares: Shares, initialize: boolean): Promise<MountStep> {
  const { folder, path } = await findSource(entry, shares);
  return {
    destination: entry.path,
    mount: (guest) => {
      let source = resolvePath(guest(folder), path, readLink);
      if (!exists(source)) throw new Error(`"${path}" is not in the ${folder === "" ? "guest" : "share"}`);
      const isFolder = isDirectory(source);
      const target = makeMountPoint(entry.path, isFolder ? "folder" : "file");
      if (isFolder && entry.dockerVolume) {
        source = makeDataFolder(source);
        if (initialize) copyTree(target, source);
      }
      bindTree(source, target, entry.readOnly);
    },
  };
}
