/** Whole files, and directories, by path. Everything here blocks: it is for small files and pseudo file systems. */
import * as sys from "tiny:sys";
import { O_CLOEXEC, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, S_IFDIR, S_IFMT } from "./constants.ts";
import { Errno, hasErrno } from "./errors.ts";

/** Calls `use` with an open descriptor and closes it on every path. */
export function withFile<T>(path: string, flags: number, mode: number, use: (fd: number) => T): T {
  const fd = sys.open(path, flags | O_CLOEXEC, mode);
  try {
    return use(fd);
  } finally {
    sys.close(fd);
  }
}

/** The bytes of a file, read to its end. A file longer than `limit` bytes is an error. */
export function readBytes(path: string, limit = 1 << 20): Uint8Array {
  return withFile(path, O_RDONLY, 0, (fd) => {
    let buffer = new Uint8Array(4096);
    let size = 0;
    for (;;) {
      const count = sys.read(fd, buffer, size, buffer.length - size);
      if (count <= 0) return buffer.subarray(0, size);
      size += count;
      if (size > limit) throw new RangeError(`${path} is longer than ${limit} bytes`);
      if (size === buffer.length) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
    }
  });
}

/** The text of a file, as UTF-8. */
export function readText(path: string, limit?: number): string {
  return sys.decodeUtf8(readBytes(path, limit));
}

/** Like {@link readText}, but undefined when there is no such file. */
export function readTextIfThere(path: string, limit?: number): string | undefined {
  if (sys.statIfThere(path) === undefined) return undefined;
  try {
    return readText(path, limit);
  } catch (error) {
    if (hasErrno(error, Errno.ENOENT, Errno.ENOTDIR)) return undefined;
    throw error;
  }
}

/** Writes all bytes to a blocking descriptor. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += sys.write(fd, bytes, at, bytes.length - at);
}

/** Writes a text over a file; makes the file when it is not there. */
export function writeText(path: string, text: string, mode = 0o644): void {
  withFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode, (fd) => writeAll(fd, sys.encodeUtf8(text)));
}

/** Writes to a file that must be there already, as the files of /proc, /sys and cgroups are. */
export function writeControl(path: string, text: string): void {
  withFile(path, O_WRONLY, 0, (fd) => writeAll(fd, sys.encodeUtf8(text)));
}

/** True when something has this name (a dangling link does not count). */
export function exists(path: string): boolean {
  try {
    return sys.statIfThere(path) !== undefined;
  } catch {
    return false;
  }
}

/** True when this name leads to a directory. */
export function isDirectory(path: string): boolean {
  try {
    return ((sys.statIfThere(path)?.mode ?? 0) & S_IFMT) === S_IFDIR;
  } catch {
    return false;
  }
}

/** Makes a directory and those above it; one that is there is left as it is. */
export function makeDirectories(path: string, mode = 0o755): void {
  if (exists(path)) return;
  const slash = path.lastIndexOf("/");
  if (slash > 0) makeDirectories(path.slice(0, slash), mode);
  try {
    sys.mkdir(path, mode);
  } catch (error) {
    // A link that leads nowhere, or one whose name has a slash at its end, which was made just now.
    if (!hasErrno(error, Errno.EEXIST)) throw error;
  }
}
