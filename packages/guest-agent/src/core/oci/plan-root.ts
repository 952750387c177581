import * as sys from "tiny:sys";
import {
  Errno,
  hasErrno,
  isDirectory,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  W_OK,
} from "@husk/tiny";
import type { Root } from "@husk/wire/kata";
import type { RootPlan } from "../rootfs.ts";
import { checkPath, quote, specFault } from "./spec-fault.ts";

const PROPAGATION = new Map([
  ["private", MS_PRIVATE],
  ["slave", MS_SLAVE],
  ["shared", MS_SHARED],
  ["unbindable", MS_UNBINDABLE],
]);

function readPropagation(text: string): number | undefined {
  if (text === "") return undefined;
  const plain = PROPAGATION.get(text);
  const tree = text.startsWith("r") ? PROPAGATION.get(text.slice(1)) : undefined;
  if (plain !== undefined) return plain;
  if (tree !== undefined) return tree | MS_REC;
  throw specFault(`unknown rootfsPropagation ${quote(text)}`);
}

function openFolder(path: string): string {
  if (!isDirectory(path)) throw new Error(`root.path ${quote(path)} is not a folder of the guest`);
  return path;
}

/** Whether a folder is on a file system that nobody can write to. */
function isFixed(folder: string): boolean {
  try {
    sys.access(folder, W_OK);
    return false;
  } catch (error) {
    return hasErrno(error, Errno.EROFS);
  }
}

/**
 * Plans the root of a container.
 *
 * @param beforePivot in the child: done when it is mounted where it is given
 * @throws TtrpcError INVALID_ARGUMENT without a root, and for an unknown propagation
 */
export function planOciRoot(
  containerId: string,
  root: Root | undefined,
  propagation: string,
  beforePivot: () => void,
): RootPlan {
  if (!root?.Path) throw specFault("the specification has no root.path");
  const path = checkPath("root.path", root.Path);
  return {
    containerId,
    open: () => openFolder(path),
    isFixed,
    readOnly: root.Readonly,
    plain: false,
    propagation: readPropagation(propagation),
    beforePivot,
  };
}
