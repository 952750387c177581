/** Kernel modules, loaded on first use in the order that the image was built with. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, O_RDONLY, readTextIfThere, withFile } from "@husk/tiny";
import { log } from "../log.ts";

const FOLDER = "/lib/modules";

let order: Record<string, string[]> | undefined;
const loaded = new Set<string>();

function loadOne(name: string, parameters: string): void {
  if (loaded.has(name)) return;
  loaded.add(name);
  try {
    withFile(`${FOLDER}/${name}.ko`, O_RDONLY, 0, (fd) => sys.finitModule(fd, parameters));
  } catch (error) {
    // Compiled into this kernel after all, or loaded by somebody else.
    if (!hasErrno(error, Errno.EEXIST)) log("error", `module ${name}: ${error}`);
  }
}

/** A driver's probe waits for its device again and again; others may work meanwhile. */
const ASYNC_PROBE = "async_probe=1";

/**
 * Loads a module and those it needs. Nothing happens when the image has no such module: the kernel then has the driver
 * built in, or the mount or device that needs it will say what is missing.
 *
 * @param parameters for the module itself; without ASYNC_PROBE it has found its devices when the call returns
 */
export function loadModule(name: string, parameters = ASYNC_PROBE): void {
  order ??= JSON.parse(readTextIfThere(`${FOLDER}/order.json`) ?? "{}") as Record<string, string[]>;
  for (const needed of order[name] ?? []) loadOne(needed, needed === name ? parameters : ASYNC_PROBE);
}
