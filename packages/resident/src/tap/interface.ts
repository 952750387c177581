/** Interfaces of the kernel that a VM's packets go through, opened as QEMU would open them. */

import * as sys from "tiny:sys";
import {
  CLONE_NEWNET,
  Errno,
  errorText,
  hasErrno,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  SOCK_CLOEXEC,
  withFile,
} from "@husk/tiny";

const TUN = "/dev/net/tun";
/** Longest name of a link in bytes. */
const MAX_NAME_BYTES = 15;
/** `struct ifreq`: the name, then what the call is about. */
const IFREQ_BYTES = 40;
const IFREQ_UNION = 16;

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFINDEX = 0x8933;
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;

/** Makes a network namespace that of this program. @throws Error that says what cannot be entered, and why */
export function enterNamespace(path: string): void {
  try {
    withFile(path, O_RDONLY, 0, (fd) => sys.setns(fd, CLONE_NEWNET));
  } catch (error) {
    throw new Error(`the network namespace ${path} cannot be entered: ${errorText(error)}`);
  }
}

/** Opens a queue of a tap interface that is there. @throws Error */
export function openTap(name: string, isMultiQueue: boolean): number {
  const request = requestOf(name);
  checkThere(name, request);
  const fd = openNode(TUN);
  const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (isMultiQueue ? IFF_MULTI_QUEUE : 0);
  new DataView(request.buffer).setUint16(IFREQ_UNION, flags, true);
  try {
    sys.ioctl(fd, TUNSETIFF, request);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw new Error(`the tap interface ${name} cannot be used: ${errorText(error)}`);
  }
}

/** Opens a device node, to be read and written. @throws Error */
export function openNode(path: string): number {
  try {
    return sys.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  } catch (error) {
    throw new Error(`the device node cannot be opened: ${errorText(error)}`);
  }
}

function requestOf(name: string): Uint8Array<ArrayBuffer> {
  const bytes = sys.encodeUtf8(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) throw new Error(`"${name}" is no link's name`);
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(bytes);
  return request;
}

/** The kernel makes a tap interface that is not there, which then leads nowhere. */
function checkThere(name: string, request: Uint8Array<ArrayBuffer>): void {
  const socket = sys.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  try {
    sys.ioctl(socket, SIOCGIFINDEX, new Uint8Array(request));
  } catch (error) {
    if (!hasErrno(error, Errno.ENODEV)) throw error;
    throw new Error(`there is no tap interface ${name}`);
  } finally {
    sys.close(socket);
  }
}
