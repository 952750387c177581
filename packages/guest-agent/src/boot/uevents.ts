/** Devices that come and go: the kernel's uevents say when to look again, so nothing polls. */

import * as sys from "tiny:sys";
import { EPOLLIN, openUevents, startTimer, stopTimer, unwatch, watch } from "@husk/tiny";

/** Calls `heard` whenever devices have come or gone; gives what ends that. */
export function listenForDevices(heard: () => void): () => void {
  const fd = openUevents();
  const buffer = new Uint8Array(8192);
  watch(fd, EPOLLIN, () => {
    let some = false;
    while (sys.read(fd, buffer, 0, buffer.length) > 0) some = true;
    if (some) heard();
  });
  return () => {
    unwatch(fd);
    sys.close(fd);
  };
}

/**
 * Calls `look` now and after every uevent, until it gives something.
 *
 * @throws Error with `what` in it when `deadlineMs` milliseconds have passed
 */
export function waitForDevice<T>(what: string, deadlineMs: number, look: () => T | undefined): Promise<T> {
  const there = look();
  if (there !== undefined) return Promise.resolve(there);
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      stopTimer(timer);
      stopListening();
      settle();
    };
    const timer = startTimer(deadlineMs, () =>
      finish(() => reject(new Error(`${what} did not appear in ${deadlineMs} ms`))),
    );
    const check = () => {
      try {
        const found = look();
        if (found !== undefined) finish(() => resolve(found));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const stopListening = listenForDevices(check);
    // It may have come between the first look and the opening of the socket.
    check();
  });
}
