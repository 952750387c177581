import * as sys from "tiny:sys";
import { O_CLOEXEC, O_CREAT, O_PATH, O_RDWR, RESOLVE_NO_SYMLINKS } from "@husk/tiny";

/**
 * Opens a file of a log, and makes it when it is not there. No link is followed: a folder of logs may be another user's, as
 * some in /var/log are, who could have a container write anywhere.
 *
 * @throws SystemError when it cannot be opened: ELOOP when it is a link
 */
export function openLogFile(path: string, flags = 0): number {
  const end = path.lastIndexOf("/");
  const folder = sys.open(path.slice(0, end + 1), O_PATH | O_CLOEXEC, 0);
  try {
    // Not for appending: splice takes no such file.
    const all = O_RDWR | O_CREAT | O_CLOEXEC | flags;
    return sys.openat2(path.slice(end + 1), all, 0o600, RESOLVE_NO_SYMLINKS, folder);
  } finally {
    sys.close(folder);
  }
}
