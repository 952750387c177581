import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "@husk/virtcontainers/internals";
import { removeLink } from "./remove-link.ts";

/**
 * Keeps an unpacked root from being removed as long as a directory exists, also while no process has the root's lock: after a
 * reboot, for instance. Who pins it holds that lock.
 * @param root path of the root
 * @param holder absolute path of the directory
 */
export function pinRoot(root: string, holder: string): void {
  const pins = pinsOf(root);
  mkdirSync(pins, { recursive: true, mode: 0o700 });
  try {
    symlinkSync(holder, join(pins, nameOf(holder)));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/** Lets a root go that was pinned for a directory, if it was. */
export function unpinRoot(root: string, holder: string): void {
  removeLink(join(pinsOf(root), nameOf(holder)));
}

/** Whether a root is pinned. Pins for directories that are no more are removed. */
export function isRootPinned(root: string): boolean {
  const pins = pinsOf(root);
  if (!existsSync(pins)) return false;
  let isHeld = false;
  for (const name of readdirSync(pins)) {
    const link = join(pins, name);
    // A link to what is not there does not exist by its target.
    if (existsSync(link)) isHeld = true;
    else removeLink(link);
  }
  return isHeld;
}

/** Removes what pins of a root that is no more have left. */
export function removePins(root: string): void {
  rmSync(pinsOf(root), { recursive: true, force: true });
}

function pinsOf(root: string): string {
  return `${root}.pins`;
}

function nameOf(holder: string): string {
  return createHash("sha256").update(holder).digest("hex");
}
