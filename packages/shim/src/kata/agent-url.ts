/** Where an agent is reached: `unix:///path`, a path, or `vsock://cid:port`. */

import * as sys from "tiny:sys";
import {
  AF_VSOCK,
  connectUnix,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  vsockAddress,
} from "@husk/tiny";

const UNIX = /^(?:unix:\/\/)?(\/.+)$/;
const VSOCK = /^vsock:\/\/([0-9]{1,10}):([0-9]{1,10})$/;
const MAX_U32 = 0xffff_ffff;

/** Whether it is one of these. */
export function isAgentUrl(url: string): boolean {
  return UNIX.test(url) || readVsock(url) !== undefined;
}

/** A non-blocking connected socket. @throws Error when nobody listens there */
export function connectAgent(url: string): number {
  const path = UNIX.exec(url)?.[1];
  if (path !== undefined) return connectUnix(path);
  const [cid, port] = readVsock(url) ?? [];
  if (cid === undefined || port === undefined) throw new Error(`${url} is no address of an agent`);
  return connectVsock(cid, port);
}

function readVsock(url: string): [cid: number, port: number] | undefined {
  const [, cid, port] = VSOCK.exec(url)?.map(Number) ?? [];
  if (cid === undefined || port === undefined || Math.max(cid, port) > MAX_U32) return undefined;
  return [cid, port];
}

/** Blocks until the guest answers, which the kernel does not wait for longer than 2 s. */
function connectVsock(cid: number, port: number): number {
  const fd = sys.socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    sys.connect(fd, vsockAddress(cid, port));
    sys.fcntl(fd, F_SETFL, sys.fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}
