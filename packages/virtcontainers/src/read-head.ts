import { closeSync, openSync, readSync } from "node:fs";

/**
 * The first bytes of a file or block device; fewer when it has not so many.
 * @throws Error of the system
 */
export function readHead(path: string, bytes: number): Buffer {
  const head = Buffer.alloc(bytes);
  const fd = openSync(path, "r");
  try {
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}
