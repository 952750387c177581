/** the first bytes of the "legacy" frame that `lz4 -l` writes and the kernel's build uses */
const LEGACY_MAGIC = 0x184c2102;
/** what each block of a legacy frame but the last unpacks to, in bytes */
const BLOCK_SIZE = 8 * 1024 * 1024;
const MIN_MATCH = 4;
const LONG_LENGTH = 15;

/**
 * Unpacks a legacy LZ4 frame (lz4_Frame_format.md and lz4_Block_format.md of the LZ4 project). Debian's
 * kernels are packed so, and neither Node nor a minimal Debian can unpack it.
 *
 * @param frame the frame; bytes after its last whole block are ignored, as the kernel's build appends some
 * @param maxOutput most bytes it may unpack to
 * @throws Error when the frame is damaged or unpacks to more than `maxOutput`
 */
export function unpackLegacyLz4(frame: Uint8Array, maxOutput: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 4 || view.getUint32(0, true) !== LEGACY_MAGIC) throw new Error("not a legacy LZ4 frame");
  const blocks: Uint8Array[] = [];
  let total = 0;
  let offset = 4;
  while (offset + 4 <= frame.length) {
    const length = view.getUint32(offset, true);
    const end = offset + 4 + length;
    if (length === 0 || end > frame.length) break;
    const block = unpackBlock(frame.subarray(offset + 4, end));
    total += block.length;
    if (total > maxOutput) throw new Error(`LZ4 frame unpacks to more than ${maxOutput} bytes`);
    blocks.push(block);
    offset = end;
    if (block.length < BLOCK_SIZE) break;
  }
  if (blocks.length === 0) throw new Error("LZ4 frame is cut short");
  return Buffer.concat(blocks);
}

function unpackBlock(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(BLOCK_SIZE);
  let from = 0;
  let to = 0;

  const readLength = (short: number) => {
    let length = short;
    if (short !== LONG_LENGTH) return length;
    for (;;) {
      const byte = input[from++];
      if (byte === undefined) throw new Error("LZ4 block is cut short");
      length += byte;
      if (byte !== 255) return length;
    }
  };

  while (from < input.length) {
    const token = input[from++] as number;
    const literals = readLength(token >> 4);
    if (from + literals > input.length || to + literals > BLOCK_SIZE) throw new Error("LZ4 block is damaged");
    output.set(input.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence is literals alone.
    if (from === input.length) break;

    const distance = (input[from] ?? 0) | ((input[from + 1] ?? 0) << 8);
    from += 2;
    const match = readLength(token & LONG_LENGTH) + MIN_MATCH;
    if (distance === 0 || distance > to || to + match > BLOCK_SIZE) throw new Error("LZ4 block is damaged");
    // A match may overlap what it writes (a distance of 1 repeats one byte), which copyWithin would not do.
    if (distance >= match) output.copyWithin(to, to - distance, to - distance + match);
    else
      for (let index = 0; index < match; index += 1)
        output[to + index] = output[to - distance + index] as number;
    to += match;
  }
  return output.subarray(0, to);
}
