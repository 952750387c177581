/** Lines that come by one descriptor, and go on by another with something of their own. */

import * as sys from "tiny:sys";

/** Most bytes that are read: a line for each of the 256 queues that an interface can have. */
const MAX_BYTES = 64 * 1024;

/** Reads lines to the end of a file, each with its end. @throws Error when there are none, or too many */
export function readLines(fd: number): string[] {
  const buffer = new Uint8Array(MAX_BYTES);
  let size = 0;
  for (let count = -1; count !== 0; size += count) {
    count = sys.read(fd, buffer, size, MAX_BYTES - size);
    if (count < 0) throw new Error("what is to be sent has not come yet");
    if (size + count === MAX_BYTES) throw new Error(`what is to be sent has ${MAX_BYTES} bytes or more`);
  }
  const lines = sys.decodeUtf8(buffer.subarray(0, size)).match(/[^\n]+\n/g);
  if (!lines) throw new Error("there is no line to be sent");
  return lines;
}

/** Sends a line, and a descriptor with it. @throws Error when the other side does not take it at once */
export function sendLine(socket: number, line: string, descriptor: number): void {
  const bytes = sys.encodeUtf8(line);
  if (sys.sendDescriptor(socket, bytes, descriptor) === bytes.length) return;
  throw new Error("the other side of the socket takes nothing");
}
