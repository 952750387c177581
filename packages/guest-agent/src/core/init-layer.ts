/** The files that images lack, or have as links to what is not there. Reference: hyperstart.md 4.4. */

import * as sys from "tiny:sys";
import { O_CREAT, O_EXCL, O_WRONLY, S_IFDIR, S_IFMT, S_IFREG, withFile } from "@husk/tiny";
import { copyEmptyFolder } from "./mounts/copy-tree.ts";
import { makeFolder, readLink } from "./mounts/mount-point.ts";

const MTAB = "/proc/mounts";

/** Removes what has this name, if anything has. */
function clear(path: string): void {
  try {
    sys.unlink(path);
  } catch {
    // What cannot be removed is in the way of what comes next, which then says so.
  }
}

function findKind(path: string): number | undefined {
  try {
    const found = sys.lstatIfThere(path);
    return found && found.mode & S_IFMT;
  } catch {
    return undefined;
  }
}

function makeFile(path: string): void {
  withFile(path, O_WRONLY | O_CREAT | O_EXCL, 0o644, () => {});
}

/** The files that are made: their names in /etc. */
function neededFiles(hasNameServers: boolean): string[] {
  return ["hosts", "hostname", ...(hasNameServers ? ["resolv.conf"] : [])];
}

/**
 * Makes `/etc/hosts`, `/etc/hostname` and, for a pod with name servers, `/etc/resolv.conf` regular files, and `/etc/mtab`
 * a link to the mounts. A regular file keeps its contents.
 */
export function makeInitLayer(hasNameServers: boolean): void {
  const etc = makeFolder("/etc");
  for (const name of neededFiles(hasNameServers)) {
    const path = `${etc}/${name}`;
    const kind = findKind(path);
    if (kind === S_IFREG) continue;
    if (kind !== undefined) clear(path);
    makeFile(path);
  }
  const mtab = `${etc}/mtab`;
  if (readLink(mtab) === MTAB) return;
  if (findKind(mtab) !== undefined) clear(mtab);
  sys.symlink(MTAB, mtab);
}

/**
 * Does what {@link makeInitLayer} does in a layer that is not over its image yet: to copy the folder up and to make files
 * in an overlay takes much longer.
 *
 * @returns whether it was done; it is not where /etc is no folder
 */
export function fillInitLayer(image: string, layer: string, hasNameServers: boolean): boolean {
  const [from, etc] = [`${image}/etc`, `${layer}/etc`];
  if (findKind(from) !== S_IFDIR) return false;
  copyEmptyFolder(from, etc);
  for (const name of neededFiles(hasNameServers)) {
    if (findKind(`${from}/${name}`) !== S_IFREG) makeFile(`${etc}/${name}`);
  }
  if (readLink(`${from}/mtab`) !== MTAB) sys.symlink(MTAB, `${etc}/mtab`);
  return true;
}
