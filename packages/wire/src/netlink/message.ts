/** Bytes before a message's body: u32 length with them, u16 type, u16 flags, u32 sequence, u32 port. */
const NLMSG_HEADER_BYTES = 16;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** Flags of a request, and of an answer. */
export const NLM = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  REPLACE: 0x100,
  DUMP: 0x300,
  CREATE: 0x400,
  APPEND: 0x800,
  /** of an error: the request is not in it whole */
  CAPPED: 0x100,
  /** of an error: attributes follow */
  ACK_TLVS: 0x200,
} as const;

/** What is asked of the kernel; the socket adds the sequence number. */
export interface Request {
  type: number;
  /** {@link NLM} */
  flags: number;
  body: Uint8Array;
}

/** A message from the kernel. */
export interface Message extends Request {
  seq: number;
}

/** How a request ended. */
export interface Ack {
  /** 0, or what went wrong */
  errno: number;
  /** what the kernel says about it, when it says more */
  text?: string;
}

/** Bytes that do not follow the format. */
export class NetlinkFormatError extends Error {
  override readonly name = "NetlinkFormatError";
}

/** Netlink has the machine's own byte order; all machines that run this are little endian. */
const LITTLE = true;

const align = (size: number) => (size + 3) & ~3;

/** One after the other. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A request as the kernel takes it. */
export function encodeRequest({ type, flags, body }: Request, seq: number): Uint8Array {
  const bytes = new Uint8Array(NLMSG_HEADER_BYTES + align(body.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, NLMSG_HEADER_BYTES + body.length, LITTLE);
  view.setUint16(4, type, LITTLE);
  view.setUint16(6, flags, LITTLE);
  view.setUint32(8, seq, LITTLE);
  bytes.set(body, NLMSG_HEADER_BYTES);
  return bytes;
}

/** The messages of one datagram. @throws NetlinkFormatError */
export function decodeMessages(bytes: Uint8Array): Message[] {
  const view = viewOf(bytes);
  const messages: Message[] = [];
  for (let at = 0; at + NLMSG_HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, LITTLE);
    if (length < NLMSG_HEADER_BYTES || at + length > bytes.length) {
      throw new NetlinkFormatError(`a message claims ${length} bytes of ${bytes.length - at}`);
    }
    messages.push({
      type: view.getUint16(at + 4, LITTLE),
      flags: view.getUint16(at + 6, LITTLE),
      seq: view.getUint32(at + 8, LITTLE),
      body: bytes.slice(at + NLMSG_HEADER_BYTES, at + length),
    });
    at += align(length);
  }
  return messages;
}

const [ERROR_TEXT, ERROR_HEADER_BYTES] = [1, 4];

/** What an NLMSG_ERROR says. @throws NetlinkFormatError */
export function decodeAck({ flags, body }: Message): Ack {
  if (body.length < ERROR_HEADER_BYTES) throw new NetlinkFormatError("an error without a number");
  const view = viewOf(body);
  const errno = -view.getInt32(0, LITTLE);
  if (!(flags & NLM.ACK_TLVS) || body.length < ERROR_HEADER_BYTES + NLMSG_HEADER_BYTES) return { errno };
  // The request's header comes back, and unless it is capped, all of it.
  const request = flags & NLM.CAPPED ? NLMSG_HEADER_BYTES : view.getUint32(ERROR_HEADER_BYTES, LITTLE);
  const text = decodeAttributes(body.subarray(ERROR_HEADER_BYTES + align(request))).get(ERROR_TEXT);
  return text ? { errno, text: decodeText(text) } : { errno };
}

/** An attribute: u16 length with its header, u16 type, value, padding. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + align(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, LITTLE);
  view.setUint16(2, type, LITTLE);
  bytes.set(value, 4);
  return bytes;
}

const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

/** An attribute that holds others. */
export function nested(type: number, parts: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, join(parts));
}

/** The attributes by type; of one that is there twice, the last. @throws NetlinkFormatError */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, LITTLE);
    if (length < 4 || at + length > bytes.length) {
      throw new NetlinkFormatError(`an attribute claims ${length} bytes of ${bytes.length - at}`);
    }
    attributes.set(view.getUint16(at + 2, LITTLE) & TYPE_MASK, bytes.slice(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

/** A number in the machine's order. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, LITTLE);
  return bytes;
}

/** A number in the network's order. */
export function u32be(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A number of two bytes in the network's order. */
export function u16be(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff);
}

/** A text with the NUL that ends it. */
export function text(value: string): Uint8Array {
  return join([new TextEncoder().encode(value), Uint8Array.of(0)]);
}

/** A text up to its NUL. */
export function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** A view of these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
