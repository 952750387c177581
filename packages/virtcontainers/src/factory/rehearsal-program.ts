/** Path of the program in its image. */
export const REHEARSAL_PROGRAM = "/rehearse";
/** What it writes to its standard output. */
export const REHEARSAL_OUTPUT = "\n";

/** Where the program is loaded. */
const LOAD_ADDRESS = 0x40_0000;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const EM_X86_64 = 62;
const ET_EXEC = 2;
const PT_LOAD = 1;
const PF_READ_EXECUTE = 5;
const PAGE_BYTES = 4096;

/** write(1, "\n", 1), where the character is the last byte of all; exit_group(0). */
const CODE = Buffer.from(
  [
    "b801000000", // mov eax, 1
    "bf01000000", // mov edi, 1
    "488d3510000000", // lea rsi, [rip + 16]
    "ba01000000", // mov edx, 1
    "0f05", // syscall
    "b8e7000000", // mov eax, 231
    "31ff", // xor edi, edi
    "0f05", // syscall
    "0a",
  ].join(""),
  "hex",
);

/** A program that says something and ends, for x86-64, without a library: an ELF file with one segment. */
export function rehearsalProgram(): Buffer {
  const start = HEADER_BYTES + SEGMENT_BYTES;
  const size = start + CODE.length;
  const header = Buffer.alloc(start);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(ET_EXEC, 16);
  header.writeUInt16LE(EM_X86_64, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS + start), 24);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  header.writeUInt16LE(HEADER_BYTES, 52);
  header.writeUInt16LE(SEGMENT_BYTES, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(PT_LOAD, HEADER_BYTES);
  header.writeUInt32LE(PF_READ_EXECUTE, HEADER_BYTES + 4);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), HEADER_BYTES + 16);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), HEADER_BYTES + 24);
  header.writeBigUInt64LE(BigInt(size), HEADER_BYTES + 32);
  header.writeBigUInt64LE(BigInt(size), HEADER_BYTES + 40);
  header.writeBigUInt64LE(BigInt(PAGE_BYTES), HEADER_BYTES + 48);
  return Buffer.concat([header, CODE]);
}
