/** Our stdin, stdout and stderr without blocking: others may have the same open files, whose flags are theirs. */

import * as sys from "tiny:sys";
import {
  EPOLL_CTL_ADD,
  F_GETFL,
  F_SETFL,
  isSystemError,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  readTerminalMode,
  S_IFBLK,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
} from "@husk/tiny";

/** A descriptor that does not block, or one for which nothing has to wait. */
export interface OwnStream {
  fd: number;
  /** it can be waited for; if not, it is always ready */
  waits: boolean;
  /** Leaves it as it was found. */
  release(): void;
}

/** An open file of others that we have made non-blocking. */
interface Changed {
  /** flags that it had */
  flags: number;
  /** our descriptors of it */
  fds: number[];
  /** how many of them are in use */
  uses: number;
}

/** Those that are in use, by device and inode. */
const changed = new Map<string, Changed>();

/** Node of all terminals' masters: opened again it would be another terminal. */
const PTMX = sys.makedev(5, 2);

/**
 * Makes a stream of one of our descriptors. A pipe or a terminal is opened anew, so that nothing changes for others; of
 * what cannot be, such as a socket, the flag is set until `release`.
 *
 * @param access `O_RDONLY` or `O_WRONLY`
 */
export function openOwnStream(fd: number, access: number): OwnStream {
  const { mode, rdev } = sys.fstat(fd);
  const type = mode & S_IFMT;
  if (type === S_IFREG || type === S_IFDIR || type === S_IFBLK) return { fd, waits: false, release() {} };
  const isTerminal = readTerminalMode(fd) !== undefined && rdev !== PTMX;
  const own = type === S_IFIFO || isTerminal ? openAgain(fd, access) : undefined;
  if (own !== undefined) return { fd: own, waits: true, release: () => sys.close(own) };
  return { fd, waits: canBeWatched(fd), release: changeFlags(fd) };
}

/**
 * Makes an open file non-blocking; gives what undoes that. It may be several of our descriptors, and is left as it was found
 * when none of them needs it any more.
 */
function changeFlags(fd: number): () => void {
  const { dev, ino } = sys.fstat(fd);
  const key = `${dev}:${ino}`;
  const file = changed.get(key) ?? { flags: sys.fcntl(fd, F_GETFL, 0), fds: [], uses: 0 };
  changed.set(key, file);
  file.fds.push(fd);
  file.uses++;
  sys.fcntl(fd, F_SETFL, file.flags | O_NONBLOCK);
  return () => {
    file.uses--;
    if (file.uses > 0) return;
    changed.delete(key);
    for (const own of file.fds) sys.fcntl(own, F_SETFL, file.flags);
  };
}

/** The same file, opened once more; undefined where that is not allowed, or would be the end (a pipe without a reader). */
function openAgain(fd: number, access: number): number | undefined {
  try {
    return sys.open(`/proc/self/fd/${fd}`, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** Whether the kernel can tell when it is ready: not so of /dev/null. */
function canBeWatched(fd: number): boolean {
  const epoll = sys.epollCreate();
  try {
    sys.epollCtl(epoll, EPOLL_CTL_ADD, fd, 0);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  } finally {
    sys.close(epoll);
  }
}
