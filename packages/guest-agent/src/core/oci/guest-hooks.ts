import * as sys from "tiny:sys";
import { Errno, hasErrno, isDirectory, S_IFMT, S_IFREG, X_OK } from "@husk/tiny";
import type { Hook } from "@husk/wire/kata";
import type { HookPlan, HookPoint } from "./hooks.ts";
import { checkPath } from "./spec-fault.ts";

/** The points that the guest itself may have hooks for, each in a folder of that name. */
const POINTS = ["prestart", "poststart", "poststop"] as const satisfies readonly HookPoint[];

function isProgram(path: string): boolean {
  try {
    sys.access(path, X_OK);
    return (sys.stat(path).mode & S_IFMT) === S_IFREG;
  } catch (error) {
    if (hasErrno(error, Errno.EACCES, Errno.ENOENT, Errno.ELOOP)) return false;
    throw error;
  }
}

function hooksIn(folder: string, point: HookPoint): Hook[] {
  if (!isDirectory(folder)) return [];
  return sys
    .readdir(folder)
    .sort()
    .map((name) => `${folder}/${name}`)
    .filter(isProgram)
    .map((path) => ({ Path: path, Args: [path, point], Env: [], Timeout: 0n }));
}

/** The programs in the folders of a guest that has hooks of its own for every container. @param path "" for none */
export function findGuestHooks(path: string): Partial<HookPlan> {
  if (path === "") return {};
  checkPath("guest_hook_path", path);
  return Object.fromEntries(POINTS.map((point) => [point, hooksIn(`${path}/${point}`, point)]));
}
