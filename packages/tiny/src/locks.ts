/** Locks of files, which end with the last process that has them open (flock). */
import * as sys from "tiny:sys";
import { fork, onExit } from "./children.ts";
import { LOCK_EX, LOCK_NB, LOCK_UN, PR_SET_PDEATHSIG, SIGKILL } from "./constants.ts";
import { startTimer, stopTimer } from "./loop.ts";

const MAX_DESCRIPTOR = 0xffffffff;

/** Locks an open file if nobody else has it locked. */
export function tryLock(fd: number): boolean {
  return sys.flock(fd, LOCK_EX | LOCK_NB);
}

/**
 * Locks an open file, waiting in turn while somebody else has it locked. False when the time was up.
 *
 * A child waits for it: the lock is that of the open file, which is the same in both.
 */
export function waitForLock(fd: number, timeoutMs: number): Promise<boolean> {
  if (tryLock(fd)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const child = fork(() => {
      sys.prctl(PR_SET_PDEATHSIG, SIGKILL);
      // What else is open must not stay so for its sake.
      if (fd > 0) sys.closeRange(0, fd - 1);
      sys.closeRange(fd + 1, MAX_DESCRIPTOR);
      sys.flock(fd, LOCK_EX);
      return sys.exit(0);
    });
    const timer = startTimer(timeoutMs, () => sys.kill(child, SIGKILL));
    onExit(child, (status) => {
      stopTimer(timer);
      // It may have got the lock at the moment in which it was killed.
      resolve(status === 0 || tryLock(fd));
    });
  });
}

/** Lets go of a lock at once, whoever else has the same open file. */
export function unlock(fd: number): void {
  sys.flock(fd, LOCK_UN);
}
