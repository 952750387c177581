/** Mounts that need nothing from the host: new file systems of the guest's kernel, and binds inside the container. */

import * as sys from "tiny:sys";
import { AT_RECURSIVE, Errno, errorText, exists, hasErrno, isDirectory, MS_BIND, MS_REC } from "@husk/tiny";
import type { Mount } from "@husk/wire/hyperstart";
import { loadModule } from "../../boot/modules.ts";
import { type MountOptions, parseMountOptions } from "./mount-options.ts";
import { makeMountPoint, resolveInContainer } from "./mount-point.ts";
import type { MountStep } from "./mount-step.ts";

function bindInside(mount: Mount, options: MountOptions): string {
  const source = resolveInContainer(mount.source);
  if (!exists(source)) throw new Error(`"${mount.source}" is not in the container`);
  const target = makeMountPoint(mount.destination, isDirectory(source) ? "folder" : "file");
  sys.mount(source, target, null, MS_BIND | (options.bind === "tree" ? MS_REC : 0), null);
  if (options.set | options.clear)
    sys.mountSetattr(target, options.recursive ? AT_RECURSIVE : 0, options.set, options.clear);
  return target;
}

function mountNew({ type, source, destination }: Mount, { flags, data }: MountOptions): string {
  const target = makeMountPoint(destination, "folder");
  try {
    sys.mount(source || type, target, type, flags, data || null);
  } catch (error) {
    if (hasErrno(error, Errno.ENODEV)) throw new Error(`the guest's kernel has no file system "${type}"`);
    if (hasErrno(error, Errno.EINVAL)) throw new Error(`${type} refuses the options "${data}"`);
    throw error;
  }
  return target;
}

function readOptions({ type, options, destination }: Mount): MountOptions {
  try {
    return parseMountOptions(type, options);
  } catch (error) {
    throw new Error(`mount "${destination}": ${errorText(error)}`);
  }
}

/** Plans a mount. @throws Error for options that could have no effect */
export function planOwnMount(mount: Mount): MountStep {
  const options = readOptions(mount);
  const isBind = options.bind !== "no";
  if (!isBind && mount.type === "") throw new Error(`mount "${mount.destination}" has no type`);
  if (!isBind) loadModule(mount.type);
  return {
    destination: mount.destination,
    mount: () => {
      const target = isBind ? bindInside(mount, options) : mountNew(mount, options);
      for (const flags of options.propagation) sys.mount(null, target, null, flags, null);
    },
  };
}
