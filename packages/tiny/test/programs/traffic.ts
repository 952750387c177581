/**
 * Moves bytes over one TCP connection as quickly as it can, for tests and measurements of networks:
 * `traffic connect ADDRESS PORT send BYTES|-`, `traffic listen PORT receive [-]`, and the two other combinations.
 * `-` is standard input, or output; `traffic write BYTES` writes what `send BYTES` sends. What it has done is told on
 * standard error: `listening`, then `BYTES bytes in MS ms`.
 */
import * as sys from "tiny:sys";
import { Family, parseAddress } from "@husk/wire/netlink";
import { CLOCK_BOOTTIME, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET, writeAll } from "../../src/index.ts";

const SO_REUSEADDR = 2;
const SHUT_WR = 1;
const BUFFER_BYTES = 256 * 1024;

const say = (text: string) => writeAll(2, sys.encodeUtf8(`${text}\n`));

/** `struct sockaddr_in` or `sockaddr_in6`. */
function internetAddress(text: string, port: number): { family: Family; address: Uint8Array } {
  const { family, bytes } = parseAddress(text);
  const address = new Uint8Array(family === Family.INET ? 16 : 28);
  const view = new DataView(address.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  address.set(bytes, family === Family.INET ? 4 : 8);
  return { family, address };
}

function connectTo(host: string, port: number): number {
  const { family, address } = internetAddress(host, port);
  const fd = sys.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sys.connect(fd, address);
  return fd;
}

/** The first connection to a port, of either family where there are two. */
function acceptOne(port: number, any = "::"): number {
  const { family, address } = internetAddress(any, port);
  let listener: number;
  try {
    listener = sys.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  } catch (error) {
    if (any === "0.0.0.0") throw error;
    return acceptOne(port, "0.0.0.0");
  }
  sys.setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, 1);
  sys.bind(listener, address);
  sys.listen(listener, 1);
  say("listening");
  const fd = sys.accept(listener, SOCK_CLOEXEC);
  sys.close(listener);
  return fd;
}

/** Blocks of bytes that are always the same, but no two of them alike: what is lost or swapped changes a checksum. */
function makeBlocks(): (at: number) => Uint8Array {
  const words = new Uint32Array(BUFFER_BYTES / 4);
  for (let at = 0, value = 1; at < words.length; at++) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    words[at] = value;
  }
  const bytes = new Uint8Array(words.buffer);
  return (number) => {
    words[0] = number;
    return bytes;
  };
}

function sendBlocks(to: number, limit: number): number {
  const block = makeBlocks();
  for (let at = 0; at < limit; at += BUFFER_BYTES) {
    writeAll(to, block(at / BUFFER_BYTES).subarray(0, limit - at));
  }
  return limit;
}

/** Hands all on that comes. */
function relay(from: number, to: number | undefined): number {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let moved = 0;
  for (let count = 1; count > 0; moved += count) {
    count = Math.max(0, sys.read(from, buffer, 0, buffer.length));
    if (to !== undefined) writeAll(to, buffer.subarray(0, count));
  }
  return moved;
}

function send(fd: number, what: string): number {
  const sent = what === "-" ? relay(0, fd) : sendBlocks(fd, Number(what));
  // The peer hangs up when it has all.
  sys.shutdown(fd, SHUT_WR);
  relay(fd, undefined);
  return sent;
}

function run([role = "", ...args]: string[]): void {
  if (role === "write") {
    sendBlocks(1, Number(args[0]));
    return;
  }
  const fd =
    role === "connect"
      ? connectTo(String(args.shift()), Number(args.shift()))
      : acceptOne(Number(args.shift()));
  const started = sys.clock(CLOCK_BOOTTIME);
  const [verb, what = ""] = args;
  const bytes = verb === "send" ? send(fd, what) : relay(fd, what === "-" ? 1 : undefined);
  sys.close(fd);
  say(`${bytes} bytes in ${(sys.clock(CLOCK_BOOTTIME) - started).toFixed(0)} ms`);
}

run(sys.argv.slice(1));
