import * as sys from "tiny:sys";

/** Writes this process's id into a locked file that was handed down. The lock is held until this process ends. */
export function signLock(fd: number): void {
  sys.ftruncate(fd, 0);
  const text = sys.encodeUtf8(String(sys.getpid()));
  sys.pwrite(fd, text, 0, text.length, 0);
}
