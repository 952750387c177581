/** The folders of a container in the agent's own mount namespace, where they stay empty. */

import * as sys from "tiny:sys";
import { exists, MNT_DETACH, MS_NOEXEC, MS_NOSUID, makeDirectories } from "@husk/tiny";
import { containerPaths } from "./paths.ts";

function inOrder(containerId: string): string[] {
  const { pts, image, scratch, root, volume } = containerPaths(containerId);
  return [pts, image, scratch, root, volume];
}

/**
 * Makes them, and mounts the container's terminals, which the agent sees too.
 *
 * @param terminalOptions options of the file system of terminals
 */
export function makeContainerFolders(containerId: string, terminalOptions: string): void {
  const { folder, pts } = containerPaths(containerId);
  makeDirectories(folder, 0o700);
  for (const inside of inOrder(containerId)) if (!exists(inside)) sys.mkdir(inside, 0o700);
  sys.mount("devpts", pts, "devpts", MS_NOSUID | MS_NOEXEC, terminalOptions);
}

/** Undoes {@link makeContainerFolders}. */
export function removeContainerFolders(containerId: string): void {
  const paths = containerPaths(containerId);
  sys.umount(paths.pts, MNT_DETACH);
  for (const folder of [...inOrder(containerId), paths.folder]) sys.rmdir(folder);
}
