/** Forking, and a child's last words to the agent. */

import * as sys from "tiny:sys";
import { Errno, errorText, fork, hasErrno, writeAll } from "@husk/tiny";

/** Most bytes of a child's complaint. */
export const COMPLAINT_BYTES = 4096;

/**
 * Forks a child that runs `body`.
 *
 * @param namespaces `CLONE_NEW*` of namespaces that the child gets anew
 * @throws Error when the guest has no room for it
 */
export function forkChild(body: () => never, namespaces = 0): number {
  try {
    return fork(body, namespaces);
  } catch (error) {
    throw hasErrno(error, Errno.EAGAIN) ? new Error("the guest has no room for another process") : error;
  }
}

/** Writes what went wrong in a child, for the agent to read at the other end of the pipe. */
export function complain(tell: number, error: unknown): void {
  writeAll(tell, sys.encodeUtf8(errorText(error)).subarray(0, COMPLAINT_BYTES));
}
