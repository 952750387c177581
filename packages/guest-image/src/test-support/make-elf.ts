/** A section for {@link makeElf}. */
export interface SectionSpec {
  name: string;
  /** section type: 1 program bits, 7 notes */
  type?: number;
  data: Uint8Array;
}

/** Makes a small 64-bit ELF file that has nothing but sections, enough for what reads modules and kernels. */
export function makeElf(sections: readonly SectionSpec[]): Buffer {
  const all = [{ name: "", type: 0, data: Buffer.alloc(0) }, ...sections];
  const names = Buffer.from(`${all.map(({ name }) => name).join("\0")}\0.shstrtab\0`, "latin1");
  all.push({ name: ".shstrtab", type: 3, data: names });

  const headers = Buffer.alloc(all.length * 64);
  const contents: Buffer[] = [];
  let offset = 64;
  let nameOffset = 0;
  for (const [index, { name, type = 1, data }] of all.entries()) {
    const header = headers.subarray(index * 64, index * 64 + 64);
    header.writeUInt32LE(nameOffset, 0);
    header.writeUInt32LE(type, 4);
    header.writeBigUInt64LE(BigInt(offset), 24);
    header.writeBigUInt64LE(BigInt(data.length), 32);
    contents.push(Buffer.from(data));
    offset += data.length;
    nameOffset += name.length + 1;
  }

  const file = Buffer.alloc(64);
  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeBigUInt64LE(BigInt(offset), 40);
  file.writeUInt16LE(all.length, 60);
  file.writeUInt16LE(all.length - 1, 62);
  return Buffer.concat([file, ...contents, headers]);
}

/** Makes a module that says of itself what `info` does, one "key=value" each. */
export function makeModule(info: readonly string[]): Buffer {
  return makeElf([
    { name: ".modinfo", data: Buffer.from(info.map((line) => `${line}\0`).join(""), "latin1") },
  ]);
}
