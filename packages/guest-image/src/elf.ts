/** A section of an ELF file. */
export interface ElfSection {
  /** name, such as ".modinfo" */
  name: string;
  /** contents; empty for a section that takes no room in the file */
  data: Uint8Array;
}

/** A note of an ELF file: a vendor's record, such as Xen's entry point. */
export interface ElfNote {
  /** vendor, without the closing NUL */
  name: string;
  /** the vendor's own number for the kind of note */
  type: number;
  /** the record itself */
  data: Uint8Array;
}

const MAGIC = 0x7f454c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const SECTION_NOBITS = 8;
const SECTION_NOTE = 7;
const SEGMENT_NOTE = 4;
const HEADER_SIZE = 64;
const SECTION_HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;

interface RawSection {
  nameOffset: number;
  type: number;
  data: Uint8Array;
}

/** Tells whether `file` begins as a 64-bit little-endian ELF file does, the only kind used on x86-64. */
export function isElf(file: Uint8Array): boolean {
  if (file.length < HEADER_SIZE) return false;
  return viewOf(file).getUint32(0) === MAGIC && file[4] === CLASS_64 && file[5] === LITTLE_ENDIAN;
}

/**
 * Reads the sections of a 64-bit little-endian ELF file, in file order.
 *
 * @throws Error when `file` is not such a file or points outside itself
 */
export function readElfSections(file: Uint8Array): ElfSection[] {
  const raw = readRawSections(file);
  const names = raw[viewOf(file).getUint16(62, true)]?.data ?? new Uint8Array();
  return raw.map((section) => ({ name: readCString(names, section.nameOffset), data: section.data }));
}

/**
 * Reads the notes of a 64-bit little-endian ELF file, from its note segments and its note sections (a kernel
 * taken out of its boot image has both, a stripped program may have only the segments).
 *
 * @throws Error when `file` is not such a file or points outside itself
 */
export function readElfNotes(file: Uint8Array): ElfNote[] {
  const areas = [
    ...readNoteSegments(file),
    ...readRawSections(file)
      .filter((section) => section.type === SECTION_NOTE)
      .map((section) => section.data),
  ];
  return areas.flatMap(parseNotes);
}

function readRawSections(file: Uint8Array): RawSection[] {
  const view = checkElf(file);
  const table = readOffset(view, 40);
  const count = view.getUint16(60, true);
  const sections: RawSection[] = [];
  for (let index = 0; index < count; index += 1) {
    const header = viewOf(slice(file, table + index * SECTION_HEADER_SIZE, SECTION_HEADER_SIZE));
    const type = header.getUint32(4, true);
    const length = type === SECTION_NOBITS ? 0 : readOffset(header, 32);
    const offset = length === 0 ? 0 : readOffset(header, 24);
    sections.push({ nameOffset: header.getUint32(0, true), type, data: slice(file, offset, length) });
  }
  return sections;
}

function readNoteSegments(file: Uint8Array): Uint8Array[] {
  const view = checkElf(file);
  const table = readOffset(view, 32);
  const count = view.getUint16(56, true);
  const areas: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const header = viewOf(slice(file, table + index * PROGRAM_HEADER_SIZE, PROGRAM_HEADER_SIZE));
    if (header.getUint32(0, true) !== SEGMENT_NOTE) continue;
    areas.push(slice(file, readOffset(header, 8), readOffset(header, 32)));
  }
  return areas;
}

function parseNotes(area: Uint8Array): ElfNote[] {
  const notes: ElfNote[] = [];
  const view = viewOf(area);
  let offset = 0;
  while (offset + 12 <= area.length) {
    const nameSize = view.getUint32(offset, true);
    const dataSize = view.getUint32(offset + 4, true);
    const dataOffset = offset + 12 + alignTo4(nameSize);
    notes.push({
      name: readCString(slice(area, offset + 12, nameSize), 0),
      type: view.getUint32(offset + 8, true),
      data: slice(area, dataOffset, dataSize),
    });
    offset = dataOffset + alignTo4(dataSize);
  }
  return notes;
}

function checkElf(file: Uint8Array): DataView {
  if (!isElf(file)) throw new Error("not a 64-bit little-endian ELF file");
  return viewOf(file);
}

function slice(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset + length > bytes.length) {
    throw new Error(`ELF file points outside itself: ${length} bytes at ${offset} of ${bytes.length}`);
  }
  return bytes.subarray(offset, offset + length);
}

function readOffset(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function readCString(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return Buffer.from(bytes.subarray(offset, end < 0 ? bytes.length : end)).toString("latin1");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function alignTo4(size: number): number {
  return Math.ceil(size / 4) * 4;
}
