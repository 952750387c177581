/** Sockets: addresses as the kernel lays them out, and the few calls that make a listening or a connected one. */
import * as sys from "tiny:sys";
import {
  AF_NETLINK,
  AF_UNIX,
  AF_VSOCK,
  NETLINK_KOBJECT_UEVENT,
  SO_RCVBUF,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./constants.ts";

/** Longest path that fits a `sockaddr_un`, in bytes. */
export const UNIX_PATH_BYTES = 107;

/** `struct sockaddr_un`: family u16, then the path and a NUL byte. */
export function unixAddress(path: string): Uint8Array {
  const name = sys.encodeUtf8(path);
  if (name.length > UNIX_PATH_BYTES) throw new RangeError(`socket path of ${name.length} bytes: ${path}`);
  const address = new Uint8Array(2 + name.length + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  return address;
}

/** The context id that stands for any, when listening on vsock. */
export const VMADDR_CID_ANY = 0xffffffff;

/** The context id of the host. */
export const VMADDR_CID_HOST = 2;

/** `struct sockaddr_vm`: family u16, reserved u16, port u32, context id u32, 4 bytes of zero. */
export function vsockAddress(cid: number, port: number): Uint8Array {
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_VSOCK, true);
  view.setUint32(4, port, true);
  view.setUint32(8, cid, true);
  return address;
}

function makeSocket(domain: number, use: (fd: number) => void): number {
  const fd = sys.socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  try {
    use(fd);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/** A non-blocking listening unix socket. */
export function listenUnix(path: string, backlog = 16): number {
  return makeSocket(AF_UNIX, (fd) => {
    sys.bind(fd, unixAddress(path));
    sys.listen(fd, backlog);
  });
}

/** Mask of files that only their owner may use. */
const PRIVATE = 0o177;

/** A non-blocking listening unix socket that only its owner may connect to. */
export function listenUnixPrivately(path: string, backlog?: number): number {
  const mask = sys.umask(PRIVATE);
  try {
    return listenUnix(path, backlog);
  } finally {
    sys.umask(mask);
  }
}

/** A non-blocking connected unix socket. */
export function connectUnix(path: string): number {
  return makeSocket(AF_UNIX, (fd) => sys.connect(fd, unixAddress(path)));
}

/** A non-blocking listening vsock socket. */
export function listenVsock(port: number, backlog = 16): number {
  return makeSocket(AF_VSOCK, (fd) => {
    sys.bind(fd, vsockAddress(VMADDR_CID_ANY, port));
    sys.listen(fd, backlog);
  });
}

/** The next connection to a listening socket, non-blocking; undefined when nobody is waiting. */
export function accept(listener: number): number | undefined {
  const fd = sys.accept(listener, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd === -1 ? undefined : fd;
}

/** A non-blocking socket on which the kernel tells of devices that come and go (uevents of all groups). */
export function openUevents(): number {
  const fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, 1, true);
  try {
    sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 256 * 1024);
    sys.bind(fd, address);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}
