/** A relay's token: a stream number, as 8 bytes, big endian. */
export function encodeToken(token: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(token));
  return bytes;
}

/** @throws Error when the bytes are no token */
export function decodeToken(bytes: Uint8Array): number {
  const token = bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) : 0n;
  if (token === 0n || token > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error("no token");
  return Number(token);
}
