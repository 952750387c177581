import * as sys from "tiny:sys";
import { Errno, hasErrno, O_CLOEXEC, O_NONBLOCK, O_RDWR, S_IFIFO, S_IFMT } from "@husk/tiny";

/** Opens a FIFO at both of its ends, so that it has neither an end nor a broken one; makes it when it is not there. */
export function openFifo(path: string): number {
  try {
    sys.mknod(path, S_IFIFO | 0o600, 0);
  } catch (error) {
    if (!hasErrno(error, Errno.EEXIST)) throw error;
  }
  const fd = sys.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  if ((sys.fstat(fd).mode & S_IFMT) === S_IFIFO) return fd;
  sys.close(fd);
  throw new Error(`${path} is no FIFO`);
}

/** The same end as the container has it: its writes wait. */
export function openContainerEnd(path: string): number {
  return sys.open(path, O_RDWR | O_CLOEXEC, 0);
}
