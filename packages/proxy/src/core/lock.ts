import * as sys from "tiny:sys";

/** Writes this process's id into a locked file that was handed down. The lock is held until this process ends. */
export function signLock(fd: number): void {
  write(fd, String(sys.getpid()));
}

/** Writes into the locked file that the guest has broken the rules, and how: shims do not start another proxy then. */
export function condemn(fd: number, reason: string): void {
  write(fd, `failed: ${reason}`);
}

function write(fd: number, text: string): void {
  const bytes = sys.encodeUtf8(text);
  sys.ftruncate(fd, 0);
  sys.pwrite(fd, bytes, 0, bytes.length, 0);
}
