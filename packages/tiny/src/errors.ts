/** An Error of a system call. `errno` is the kernel's number; compare it with {@link Errno}. */
export interface SystemError extends Error {
  syscall: string;
  errno: number;
  /** the path that the call was about, when it was about one */
  path?: string;
}

/** The errno values that programs here decide on. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  ENXIO: 6,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EROFS: 30,
  EPIPE: 32,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EADDRNOTAVAIL: 99,
  ECONNRESET: 104,
  ECONNREFUSED: 111,
} as const;

/** True when `error` came from a system call. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && typeof (error as Partial<SystemError>).errno === "number";
}

/** True when `error` came from a system call that failed with one of `codes`. */
export function hasErrno(error: unknown, ...codes: number[]): error is SystemError {
  return isSystemError(error) && codes.includes(error.errno);
}

/** A text for people, whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
