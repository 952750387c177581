/** What the starter of a proxy hands down to it: the lock that says it lives, and the socket on which it listens. */

import * as sys from "tiny:sys";
import { F_SETFD, FD_CLOEXEC, type Flags, type FlagTable, listenUnix, UsageError } from "@husk/tiny";

/** Clients that may wait until they are accepted. */
const BACKLOG = 1024;
/** First descriptor that is not one of the three that every program has, and highest there may be. */
const [FIRST, LAST] = [3, 1_048_576];

/** The flags by which it is told. */
export const HANDED_DOWN_FLAGS: FlagTable = {
  "lock-fd": { kind: "number", value: "N", help: "descriptor of a locked file, which gets the process id" },
  "listen-fd": { kind: "number", value: "N", help: "descriptor of a socket that listens already" },
};

/** Writes the process id into the lock file, if there is one. @throws UsageError, SystemError */
export function takeLock(flags: Flags): void {
  const fd = flags.number("lock-fd", FIRST, LAST);
  if (fd === undefined) return;
  sys.fcntl(fd, F_SETFD, FD_CLOEXEC);
  const text = sys.encodeUtf8(`${sys.getpid()}\n`);
  sys.ftruncate(fd, 0);
  sys.pwrite(fd, text, 0, text.length, 0);
}

/** The socket that was handed down, or a new one at the path. @throws UsageError, SystemError */
export function takeListener(flags: Flags, path: string): number {
  const fd = flags.number("listen-fd", FIRST, LAST);
  if (fd === undefined) return listenUnix(path, BACKLOG);
  sys.fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

/** Path of a socket from its URL, `unix:///path`, or from itself. @throws UsageError */
export function readSocketPath(flags: Flags, name: string): string {
  const url = flags.required(name);
  const path = url.startsWith("unix://") ? url.slice("unix://".length) : url;
  if (path.startsWith("/")) return path;
  throw new UsageError(`-${name} must be unix:// and an absolute path, not "${url}"`);
}
