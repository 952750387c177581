/**
 * The system calls, as the C files in `native/` give them: one function per call, no policy.
 *
 * Every function throws a {@link SystemError} when the kernel says no, except where a return value is named for it.
 * Numbers are the kernel's own; `constants.ts` names them.
 */
declare module "tiny:sys" {
  /** What stat(2) says of a file. */
  export interface Stat {
    mode: number;
    uid: number;
    gid: number;
    /** size in bytes */
    size: number;
    /** when it was last written, in seconds since 1970 */
    mtime: number;
    dev: number;
    ino: number;
    rdev: number;
  }

  /** The program's name and its arguments. */
  export const argv: string[];
  /** The environment as `NAME=value` strings. */
  export const environ: string[];

  /** When the program was entered, before the engine was started: milliseconds of CLOCK_BOOTTIME. */
  export const startedAt: number;

  // native/file.c
  export function open(path: string, flags: number, mode: number): number;
  /** A path that may lead only where `resolve` (`RESOLVE_*`) lets it; it begins at `folder`, or where the program is. */
  export function openat2(
    path: string,
    flags: number,
    mode: number,
    resolve: number,
    folder?: number,
  ): number;
  export function close(fd: number): void;
  /** Bytes read; 0 at the end; -1 when nothing is there yet (non-blocking). */
  export function read(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /** Like {@link read}, at a position of the file. */
  export function pread(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  /** Bytes written; -1 when there is no room yet (non-blocking). */
  export function write(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /** Like {@link write}, at a position of the file. */
  export function pwrite(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  /**
   * Bytes moved from a pipe to another descriptor, copied only where the kernel must; -1 when either is not ready. With a
   * `position` they go there in a file, whose own position is no part of it.
   */
  export function splice(from: number, to: number, length: number, flags: number, position?: number): number;
  /** Bytes copied from a pipe to another, and left in the first; -1 when either is not ready. Both have the same pages. */
  export function tee(from: number, to: number, length: number, flags: number): number;
  export function dup2(from: number, to: number): number;
  export function pipe2(flags: number): [read: number, write: number];
  export function fcntl(fd: number, command: number, argument: number): number;
  export function ioctl(fd: number, request: number, argument: number | Uint8Array): number;
  export function ftruncate(fd: number, size: number): void;
  export function fsync(fd: number): void;
  /** Locks or unlocks an open file; with `LOCK_NB`, false when somebody else has the lock. Who inherits it shares the lock. */
  export function flock(fd: number, operation: number): boolean;

  // native/directory.c
  export function stat(path: string): Stat;
  export function fstat(fd: number): Stat;
  export function lstat(path: string): Stat;
  /** Like {@link stat}, but undefined when nothing has this name. */
  export function statIfThere(path: string): Stat | undefined;
  /** Like {@link lstat}, but undefined when nothing has this name. */
  export function lstatIfThere(path: string): Stat | undefined;
  export function mkdir(path: string, mode: number): void;
  export function rmdir(path: string): void;
  export function unlink(path: string): void;
  export function chmod(path: string, mode: number): void;
  export function chown(path: string, uid: number, gid: number): void;
  export function fchown(fd: number, uid: number, gid: number): void;
  /** Like chown, but a link's own owner. */
  export function lchown(path: string, uid: number, gid: number): void;
  export function mknod(path: string, mode: number, device: number): void;
  export function chdir(path: string): void;
  export function fchdir(fd: number): void;
  export function chroot(path: string): void;
  export function access(path: string, mode: number): void;
  export function symlink(target: string, path: string): void;
  export function rename(from: string, to: string): void;
  export function link(from: string, to: string): void;
  /** Sets when a file was last written; of a link, its own. */
  export function setMtime(path: string, seconds: number): void;
  /** Copies all extended attributes, also those of links; none where either file system has none. */
  export function copyXattrs(from: string, to: string): void;
  export function readlink(path: string): string;
  /** Like {@link readlink}, but undefined when nothing has this name, and for what is no link. */
  export function readlinkIfLink(path: string): string | undefined;
  /** The names in a directory, without `.` and `..`, in the file system's order. */
  export function readdir(path: string): string[];
  export function umask(mask: number): number;
  export function makedev(major: number, minor: number): number;

  // native/process.c
  /** 0 in the child, which must end in {@link execve} or {@link exit}. `flags` are `CLONE_NEW*`. */
  export function fork(flags: number): number;
  export function execve(path: string, argv: string[], environ: string[]): never;
  export function exit(code: number): never;
  /** null when no child has changed (WNOHANG), or there is none. */
  export function waitpid(pid: number, options: number): [pid: number, status: number] | null;
  export function kill(pid: number, signal: number): void;
  export function pidfdOpen(pid: number): number;
  export function getpid(): number;
  /** Closes every descriptor from `first` to `last`. */
  export function closeRange(first: number, last: number): void;
  export function setsid(): number;
  export function setuid(uid: number): void;
  export function setgid(gid: number): void;
  export function setgroups(groups: number[]): void;
  export function prctl(option: number, argument: number, second?: number): number;
  /** Each set is a number with bit n for capability n. */
  export function capset(effective: number, permitted: number, inheritable: number): void;
  export function setrlimit(resource: number, soft: number, hard: number): void;

  // native/namespace.c
  export function setns(fd: number, type: number): void;
  export function unshare(flags: number): void;
  export function sethostname(name: string): void;

  // native/mount.c
  export function mount(
    source: string | null,
    target: string,
    type: string | null,
    flags: number,
    data: string | null,
  ): void;
  /** Sets and clears `MOUNT_ATTR_*` of a mount, with `AT_RECURSIVE` also of those below. */
  export function mountSetattr(target: string, flags: number, set: number, clear: number): void;
  export function umount(target: string, flags: number): void;
  export function pivotRoot(root: string, old: string): void;

  // native/event.c
  export function epollCreate(): number;
  export function epollCtl(epoll: number, operation: number, fd: number, events: number): void;
  /** Fills `events` with (fd, events) pairs; returns how many. -1 as `timeoutMs` waits for ever. */
  export function epollWait(epoll: number, events: Int32Array, timeoutMs: number): number;
  /** Runs the promise jobs that are due, and those they make. */
  export function runJobs(): void;
  export function onRejection(
    handler: (promise: Promise<unknown>, reason: unknown, handled: boolean) => void,
  ): void;

  // native/signal.c
  export function sigprocmask(how: number, signals: number[]): void;
  export function resetSignals(): void;
  export function ignoreSignal(signal: number): void;
  export function signalfd(signals: number[]): number;
  /** The next signal; -1 when none is pending. */
  export function readSignal(fd: number): number;
  export function sigwait(signals: number[]): number;

  // native/socket.c: an address is the bytes of the kernel's struct sockaddr_*
  export function socket(domain: number, type: number, protocol: number): number;
  export function bind(fd: number, address: Uint8Array): void;
  export function connect(fd: number, address: Uint8Array): void;
  export function listen(fd: number, backlog: number): void;
  /** -1 when nobody is waiting. */
  export function accept(fd: number, flags: number, address?: Uint8Array): number;
  export function shutdown(fd: number, how: number): void;
  /** Bytes sent, and with them a copy of a descriptor, which the other side of a unix socket gets; -1 when there is no room. */
  export function sendDescriptor(fd: number, bytes: Uint8Array, descriptor: number): number;
  /**
   * A descriptor that the other side of a unix socket has sent, closed on exec; -1 when nothing has come yet. What its message says
   * is dropped. @throws SystemError EBADMSG when it has none, or several
   */
  export function receiveDescriptor(fd: number): number;
  export function getsockopt(fd: number, level: number, name: number): number;
  export function setsockopt(fd: number, level: number, name: number, value: number): void;

  // native/system.c
  /** The clock in milliseconds, with a fraction. */
  export function clock(clock: number): number;
  export function setClock(clock: number, seconds: number, nanoseconds: number): void;
  export function sync(): void;
  export function reboot(command: number): void;
  export function finitModule(fd: number, parameters: string): void;
  /** What an errno means, in words. */
  export function strerror(code: number): string;
  export function getrandom(buffer: Uint8Array): number;

  // native/memory.c
  /** Takes memory from the kernel for what is asked for next, and keeps it. */
  export function reserveMemory(): void;

  // native/security.c
  /** Loads an eBPF program of a type (`BPF_PROG_TYPE_*`); gives its descriptor. */
  export function bpfLoad(type: number, instructions: Uint8Array): number;
  /** Attaches a program to a cgroup, with `BPF_F_REPLACE` in the place of one that is there. */
  export function bpfAttach(
    cgroup: number,
    program: number,
    type: number,
    flags: number,
    replaced: number,
  ): void;
  /** From here on the filter is asked about every system call of this process and of those that it starts. */
  export function seccomp(flags: number, instructions: Uint8Array): void;

  // native/text.c
  /** Half a surrogate pair becomes U+FFFD. */
  export function encodeUtf8(text: string): Uint8Array<ArrayBuffer>;
  /** What is not UTF-8 becomes U+FFFD or, when `fatal`, a TypeError. */
  export function decodeUtf8(bytes: Uint8Array, fatal?: boolean): string;
  /**
   * Lines of a log: each line of the input, in pieces of at most `limit` bytes, as `head`, its position (the first one's is
   * `position`) and `,"log":"…"}`, or `,"base64":"…"}` when it is not UTF-8; as far as the output has room. A character that
   * the input's end cuts is left, unless this is `final`.
   *
   * @returns where it came to in the input, and in the output
   */
  export function jsonLines(
    input: Uint8Array,
    from: number,
    output: Uint8Array,
    at: number,
    head: Uint8Array,
    position: number,
    limit: number,
    final: boolean,
  ): [from: number, at: number];
}
