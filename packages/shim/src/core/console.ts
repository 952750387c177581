import * as sys from "tiny:sys";
import { Errno, errorText, hasErrno, O_CLOEXEC, O_NOCTTY, O_RDWR, takeTerminal } from "@husk/tiny";

/** Makes a terminal our stdin, stdout and stderr, and the controlling one of a session of ours. @throws Error when it cannot be */
export function openConsole(path: string): void {
  beginSession();
  const fd = sys.open(path, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
  for (const standard of [0, 1, 2]) sys.dup2(fd, standard);
  if (fd > 2) sys.close(fd);
  try {
    takeTerminal(0);
  } catch (error) {
    throw new Error(`${path} cannot be our terminal: ${errorText(error)}`);
  }
}

function beginSession(): void {
  try {
    sys.setsid();
  } catch (error) {
    // We lead one already: who started us has seen to that.
    if (!hasErrno(error, Errno.EPERM)) throw error;
  }
}
