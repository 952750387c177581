/** Bytes before a message of gRPC: whether it is compressed, and its length. */
const HEADER_BYTES = 5;

/** A message as gRPC sends it. */
export function wrapMessage(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** The only message in some bytes; undefined: they are not that, or it is compressed, which nobody has asked for. */
export function takeMessage(bytes: Buffer): Uint8Array | undefined {
  const isWhole =
    bytes.length >= HEADER_BYTES && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.length - HEADER_BYTES;
  return isWhole ? bytes.subarray(HEADER_BYTES) : undefined;
}
