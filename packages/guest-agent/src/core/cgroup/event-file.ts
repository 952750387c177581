/** The files of a cgroup that the kernel tells changes of: `cgroup.events`, `memory.events`. */

import * as sys from "tiny:sys";
import {
  EPOLLERR,
  EPOLLET,
  EPOLLPRI,
  O_CLOEXEC,
  O_RDONLY,
  readTextIfThere,
  startTimer,
  stopTimer,
  unwatch,
  watch,
} from "@husk/tiny";

/** A number of such a file; 0 when there is no such file, or nothing of this name in it. */
export function readEvent(path: string, name: string): number {
  const line = readTextIfThere(path)
    ?.split("\n")
    .find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/** Calls `changed` after each change of the file, and once at the beginning. Gives what ends that. */
export function watchEvents(path: string, changed: () => void): () => void {
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC, 0);
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    unwatch(fd);
    sys.close(fd);
  };
  // The kernel tells of a change as an exceptional condition, which lasts until this descriptor is read. The edge is enough.
  watch(fd, EPOLLPRI | EPOLLERR | EPOLLET, changed);
  changed();
  return close;
}

/**
 * Resolves when the file says so.
 *
 * @param deadlineMs milliseconds until it rejects; without, it waits for ever
 */
export function awaitEvent(path: string, isMet: () => boolean, deadlineMs?: number): Promise<void> {
  if (isMet()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer =
      deadlineMs === undefined
        ? undefined
        : startTimer(deadlineMs, () => {
            stop();
            reject(new Error(`${path} has not changed in ${deadlineMs} ms`));
          });
    let done = false;
    let stop = () => {
      done = true;
    };
    const check = () => {
      if (done || !isMet()) return;
      stop();
      stopTimer(timer);
      resolve();
    };
    const close = watchEvents(path, check);
    // The first look may have been the last.
    if (done) close();
    else stop = close;
  });
}
