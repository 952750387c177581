/** The tree of cgroups (v2), and which controllers its levels have. */

import * as sys from "tiny:sys";
import {
  Errno,
  errorText,
  hasErrno,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  readText,
  writeControl,
} from "@husk/tiny";
import { type Controller, LimitError } from "./setting.ts";

/** Where the agent has the tree. */
export const CGROUPS = "/sys/fs/cgroup";

/** The cgroup that those of containers are in that are not told to be elsewhere. */
export const HOME = "husk";

/**
 * What the tree is mounted with. Processes are moved into cgroups all the time here, one at each start, which waits for
 * all processors to have been idle once unless the kernel is told to favour it: 15 of an exec's 38 ms under TCG.
 */
const OPTIONS = "nsdelegate,favordynmods";

/** Mounts the tree. Once, at the start of the pod. */
export function mountCgroups(): void {
  try {
    sys.mount("cgroup2", CGROUPS, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, OPTIONS);
  } catch (error) {
    if (!hasErrno(error, Errno.EBUSY)) throw error;
  }
}

/** The folder of a cgroup. @throws LimitError for a path that leads elsewhere */
export function cgroupFolder(path: string): string {
  const names = path.split("/").filter(Boolean);
  if (names.length === 0 || names.some((name) => name === "." || name === ".." || name.includes("\n"))) {
    throw new LimitError(`"${path}" is no path of a cgroup`);
  }
  return `${CGROUPS}/${names.join("/")}`;
}

/** The folder of the cgroup that a cgroup is in. */
export function folderAbove(folder: string): string {
  return folder.slice(0, folder.lastIndexOf("/"));
}

/** The folders from the tree's root down to the one above `folder`. */
function foldersAbove(folder: string): string[] {
  const above = folderAbove(folder);
  return above === CGROUPS ? [above] : [...foldersAbove(above), above];
}

/** The controllers that a cgroup has files of, or could pass on. */
function controllersOf(folder: string): Set<string> {
  return new Set(readText(`${folder}/cgroup.controllers`).trim().split(" "));
}

/** Whether a cgroup has the files of a controller. */
export function hasController(folder: string, controller: Controller): boolean {
  return controllersOf(folder).has(controller);
}

/** Those that the kernel has. */
export function knownControllers(wanted: ReadonlySet<Controller>): Set<Controller> {
  if (wanted.size === 0) return new Set();
  const known = controllersOf(CGROUPS);
  return new Set([...wanted].filter((name) => known.has(name)));
}

/** Gives a cgroup its files of these controllers. @throws LimitError when the kernel has no such controller */
export function enableControllers(folder: string, wanted: ReadonlySet<Controller>): void {
  if (wanted.size === 0) return;
  const own = controllersOf(folder);
  const missing = [...wanted].filter((name) => !own.has(name));
  if (missing.length === 0) return;
  const known = knownControllers(wanted);
  const unknown = missing.find((name) => !known.has(name));
  if (unknown) throw new LimitError(`the guest's kernel has no controller "${unknown}" for cgroups`);
  const text = missing.map((name) => `+${name}`).join(" ");
  // Each level must pass a controller on before the next one can.
  for (const above of foldersAbove(folder)) {
    try {
      writeControl(`${above}/cgroup.subtree_control`, text);
    } catch (error) {
      throw new Error(`cannot give the cgroups in ${above} "${text}": ${errorText(error)}`);
    }
  }
}
