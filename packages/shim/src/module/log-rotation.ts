import * as sys from "tiny:sys";
import { Errno, exists, hasErrno, O_TRUNC } from "@husk/tiny";
import type { ShimLogPlan } from "@husk/wire/module-shim";
import { openLogFile } from "./open-log-file.ts";

/**
 * Puts an empty file in the place of a log, whose files each become one older; the oldest goes. Killed in the middle of it, there
 * is at most one older file less, and the next one goes on where this one was.
 *
 * @returns its descriptor
 * @throws SystemError when it cannot be; the log is where it was then, or one older
 */
export function makeWay({ path, maxFiles }: ShimLogPlan): number {
  const fresh = `${path}.new`;
  const fd = openLogFile(fresh, O_TRUNC);
  try {
    // Up to the first age that is free: after a rotation that was cut short, nothing is to be moved twice.
    for (let age = firstFreeAge(path, maxFiles) - 1; age >= 0; age--) moveOn(path, age);
    sys.rename(fresh, path);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

function firstFreeAge(path: string, maxFiles: number): number {
  let age = 0;
  while (age < maxFiles - 1 && exists(nameOf(path, age))) age++;
  return age;
}

function moveOn(path: string, age: number): void {
  try {
    sys.rename(nameOf(path, age), nameOf(path, age + 1));
  } catch (error) {
    if (!hasErrno(error, Errno.ENOENT)) throw error;
  }
}

function nameOf(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}
