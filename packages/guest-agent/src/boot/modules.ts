/** Kernel modules, loaded on first use in the order that the image was built with. */

import * as sys from "tiny:sys";
import { Errno, errorText, exists, hasErrno, O_RDONLY, readTextIfThere, withFile } from "@husk/tiny";
import { log } from "../log.ts";

const FOLDER = "/lib/modules";

let order: Record<string, string[]> | undefined;
const loaded = new Set<string>();

function insert(name: string, parameters: string): void {
  withFile(`${FOLDER}/${name}.ko`, O_RDONLY, 0, (fd) => sys.finitModule(fd, parameters));
}

function loadOne(name: string, parameters: string): void {
  if (loaded.has(name)) return;
  loaded.add(name);
  try {
    insert(name, parameters);
  } catch (error) {
    // Compiled into this kernel after all, or loaded by somebody else.
    if (!hasErrno(error, Errno.EEXIST)) log("error", `module ${name}: ${error}`);
  }
}

/** A driver's probe waits for its device again and again; others may work meanwhile. */
const ASYNC_PROBE = "async_probe=1";

function readOrder(): Record<string, string[]> {
  order ??= JSON.parse(readTextIfThere(`${FOLDER}/order.json`) ?? "{}") as Record<string, string[]>;
  return order;
}

/** Whether the kernel has a module, be it loaded or built in. */
function isInKernel(name: string): boolean {
  return exists(`/sys/module/${name.replaceAll("-", "_")}`);
}

/**
 * Loads a module that the host asks for. One that the kernel has already is left as it is.
 *
 * @throws Error when the guest has no such module, or the kernel does not take it with these parameters
 */
export function requireModule(name: string, parameters: string): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw new Error(`"${name}" is not the name of a kernel module`);
  if (isInKernel(name)) return;
  const needed = Object.hasOwn(readOrder(), name) ? readOrder()[name] : undefined;
  if (!needed) throw new Error(`the guest has no kernel module "${name}"`);
  for (const other of needed) if (other !== name) loadModule(other);
  try {
    insert(name, parameters);
  } catch (error) {
    throw new Error(`kernel module "${name}" with "${parameters}": ${errorText(error)}`);
  }
  loaded.add(name);
}

/**
 * Loads a module and those it needs. Nothing happens when the image has no such module: the kernel then has the driver
 * built in, or the mount or device that needs it will say what is missing.
 *
 * @param parameters for the module itself; without ASYNC_PROBE it has found its devices when the call returns
 */
export function loadModule(name: string, parameters = ASYNC_PROBE): void {
  for (const needed of readOrder()[name] ?? []) loadOne(needed, needed === name ? parameters : ASYNC_PROBE);
}
