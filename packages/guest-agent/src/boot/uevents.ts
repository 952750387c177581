/** Waiting for devices: the kernel's uevents say when to look again, so nothing polls. */

import * as sys from "tiny:sys";
import { EPOLLIN, openUevents, startTimer, stopTimer, unwatch, watch } from "@husk/tiny";

/**
 * Calls `look` now and after every uevent, until it gives something.
 *
 * @throws Error with `what` in it when `deadlineMs` milliseconds have passed
 */
export function waitForDevice<T>(what: string, deadlineMs: number, look: () => T | undefined): Promise<T> {
  const there = look();
  if (there !== undefined) return Promise.resolve(there);
  return new Promise((resolve, reject) => {
    const fd = openUevents();
    const finish = (settle: () => void) => {
      stopTimer(timer);
      unwatch(fd);
      sys.close(fd);
      settle();
    };
    const timer = startTimer(deadlineMs, () =>
      finish(() => reject(new Error(`${what} did not appear in ${deadlineMs} ms`))),
    );
    const buffer = new Uint8Array(8192);
    const check = () => {
      const found = look();
      if (found !== undefined) finish(() => resolve(found));
      return found !== undefined;
    };
    watch(fd, EPOLLIN, () => {
      let heard = false;
      while (sys.read(fd, buffer, 0, buffer.length) > 0) heard = true;
      if (heard) check();
    });
    // It may have come between the first look and the opening of the socket.
    check();
  });
}
