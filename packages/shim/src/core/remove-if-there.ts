import * as sys from "tiny:sys";
import { Errno, hasErrno } from "@husk/tiny";

/** Removes a file; one that is not there is gone already. */
export function removeIfThere(path: string): void {
  try {
    sys.unlink(path);
  } catch (error) {
    if (!hasErrno(error, Errno.ENOENT)) throw error;
  }
}
