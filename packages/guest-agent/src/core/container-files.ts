/** Reading and writing one file of a container, as its own root shows it. Reference: hyperstart.md 2.10. */

import * as sys from "tiny:sys";
import {
  errorText,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  writeAll,
} from "@husk/tiny";
import { MAX_FILE_BYTES } from "@husk/wire/hyperstart";
import { askChild } from "./ask-child.ts";

/** Where the files are. */
export interface Files {
  /** in a child: makes the container's root its own */
  enterRoot(): void;
}

function checkRegular(fd: number): void {
  const kind = sys.fstat(fd).mode & S_IFMT;
  if (kind === S_IFDIR) throw new Error("it is a directory");
  if (kind !== S_IFREG) throw new Error("it is not a regular file");
}

/**
 * Opens a regular file in a child that has entered the root. No link leads out of it: not even those of /proc, which lead
 * to other processes' roots. A FIFO or device does not block.
 */
function useFile<T>(path: string, flags: number, use: (fd: number) => T): T {
  try {
    const fd = sys.openat2(
      path,
      flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
      flags & O_CREAT ? 0o644 : 0,
      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    );
    checkRegular(fd);
    return use(fd);
  } catch (error) {
    throw new Error(`file "${path}": ${errorText(error)}`);
  }
}

/** Reads to the end, as the size says nothing for the files of /proc. */
function readToEnd(fd: number): Uint8Array {
  let bytes = new Uint8Array(Math.min(sys.fstat(fd).size, MAX_FILE_BYTES) + 4096);
  let size = 0;
  for (;;) {
    const count = sys.read(fd, bytes, size, bytes.length - size);
    if (count <= 0) return bytes.subarray(0, size);
    size += count;
    if (size > MAX_FILE_BYTES) throw new Error(`longer than ${MAX_FILE_BYTES} bytes`);
    if (size < bytes.length) continue;
    const larger = new Uint8Array(bytes.length * 2);
    larger.set(bytes);
    bytes = larger;
  }
}

/** The file's bytes, in a child that has entered the root. */
export function readFileHere(path: string): Uint8Array {
  return useFile(path, O_RDONLY, readToEnd);
}

/** The file's bytes. @throws Error naming the file, when it is not regular, too long or not there */
export function readContainerFile(files: Files, path: string): Promise<Uint8Array> {
  return askChild(`reading "${path}"`, MAX_FILE_BYTES, () => {
    files.enterRoot();
    return readFileHere(path);
  });
}

/** Makes the file hold these bytes and nothing else. Its folder must be there. @throws Error naming the file */
export async function writeContainerFile(files: Files, path: string, data: Uint8Array): Promise<void> {
  await askChild(`writing "${path}"`, 0, () => {
    files.enterRoot();
    sys.umask(0o022);
    useFile(path, O_WRONLY | O_CREAT, (fd) => {
      // Not by O_TRUNC: what is no regular file is left as it is.
      sys.ftruncate(fd, 0);
      writeAll(fd, data);
    });
    return new Uint8Array();
  });
}
