import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { isElf, readElfNotes } from "./elf.ts";
import { unpackLegacyLz4 } from "./lz4.ts";
import { runCommand } from "./run-command.ts";

const SETUP_SECTS = 0x1f1;
const BOOT_FLAG = 0x1fe;
const HEADER_MAGIC = 0x202;
const BOOT_PROTOCOL = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
/** the boot protocol that brought payload_offset and payload_length */
const OLDEST_PROTOCOL = 0x0208;
const HDRS = 0x53726448;
const SECTOR = 512;
/** far above any kernel; a limit for what a broken payload may unpack to, in bytes */
const MAX_VMLINUX = 512 * 1024 * 1024;
const XEN_ELFNOTE_PHYS32_ENTRY = 18;

/** The forms of compression that a kernel's build offers. */
export type Compression = "gzip" | "zstd" | "xz" | "lzma" | "lz4" | "none";

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lzma", [0x5d, 0x00, 0x00]],
  ["lz4", [0x02, 0x21, 0x4c, 0x18]],
  ["none", [0x7f, 0x45, 0x4c, 0x46]],
];

/**
 * Takes the uncompressed kernel out of a bzImage. QEMU starts it by its PVH entry, which saves the firmware's
 * and the decompressor's time. The header's fields are those of Documentation/arch/x86/boot.rst in Linux.
 *
 * @throws Error when `bzImage` is none, is compressed in an unknown form, or holds a kernel without PVH
 */
export async function extractVmlinux(bzImage: Uint8Array): Promise<Uint8Array> {
  const payload = findPayload(bzImage);
  const kernel = await decompress(payload);
  if (!isElf(kernel)) throw new Error("the kernel's payload is not an ELF file");
  if (!hasPvhEntry(kernel)) throw new Error("the kernel has no PVH entry point (CONFIG_PVH)");
  return kernel;
}

/**
 * Finds the compressed kernel inside a bzImage.
 *
 * @throws Error when `bzImage` is none, is too old (boot protocol before 2.08), or is cut short
 */
export function findPayload(bzImage: Uint8Array): Uint8Array {
  if (bzImage.length < 2 * SECTOR) throw new Error("not a kernel image: too short");
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  if (view.getUint16(BOOT_FLAG, true) !== 0xaa55 || view.getUint32(HEADER_MAGIC, true) !== HDRS) {
    throw new Error("not a kernel image: no boot header");
  }
  const protocol = view.getUint16(BOOT_PROTOCOL, true);
  if (protocol < OLDEST_PROTOCOL) throw new Error(`boot protocol 0x${protocol.toString(16)} is too old`);
  // A count of 0 stands for 4, as it did for the first kernels.
  const setupSectors = view.getUint8(SETUP_SECTS) || 4;
  const start = (setupSectors + 1) * SECTOR + view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true);
  if (length === 0 || start + length > bzImage.length) throw new Error("the kernel image is cut short");
  return bzImage.subarray(start, start + length);
}

/** Recognises a compressed payload by its first bytes; undefined when it is none that Linux uses. */
export function detectCompression(payload: Uint8Array): Compression | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, index) => payload[index] === byte))?.[0];
}

/** Tells whether a kernel has the note that names its 32-bit PVH entry point. */
export function hasPvhEntry(vmlinux: Uint8Array): boolean {
  return readElfNotes(vmlinux).some((note) => note.name === "Xen" && note.type === XEN_ELFNOTE_PHYS32_ENTRY);
}

async function decompress(payload: Uint8Array): Promise<Uint8Array> {
  const compression = detectCompression(payload);
  // All forms but gzip carry the unpacked size in four bytes after the stream, which no decompressor expects.
  const stream = payload.subarray(0, -4);
  switch (compression) {
    case "none":
      return payload;
    case "gzip":
      return gunzipSync(payload, { maxOutputLength: MAX_VMLINUX });
    case "zstd":
      return zstdDecompressSync(stream, { maxOutputLength: MAX_VMLINUX });
    case "xz":
      return unpackWith("xz", ["--decompress", "--stdout", "--format=xz"], stream);
    case "lzma":
      return unpackWith("xz", ["--decompress", "--stdout", "--format=lzma"], stream);
    case "lz4":
      return unpackLegacyLz4(stream, MAX_VMLINUX);
    case undefined:
      throw new Error("the kernel is compressed in an unknown form");
  }
}

async function unpackWith(command: string, args: readonly string[], input: Uint8Array): Promise<Uint8Array> {
  const { stdout } = await runCommand(command, args, { input, maxOutput: MAX_VMLINUX });
  return stdout;
}
