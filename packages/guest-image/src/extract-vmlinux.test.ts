import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { detectCompression, extractVmlinux, findPayload, hasPvhEntry } from "./extract-vmlinux.ts";
import { makeElf } from "./test-support/make-elf.ts";

const PVH_NOTE = Buffer.from("\x04\0\0\0\x04\0\0\0\x12\0\0\0Xen\0\x10\x20\x30\x40", "latin1");
const KERNEL = makeElf([
  { name: ".notes", type: 7, data: PVH_NOTE },
  { name: ".text", data: Buffer.alloc(5000, "code") },
]);

/** Makes a bzImage around a payload: a boot sector, 3 sectors of set-up code, 16 bytes of decompressor. */
function makeBzImage(payload: Uint8Array, protocol = 0x020f): Buffer {
  const setup = Buffer.alloc(4 * 512);
  setup.writeUInt8(3, 0x1f1);
  setup.writeUInt16LE(0xaa55, 0x1fe);
  setup.write("HdrS", 0x202, "latin1");
  setup.writeUInt16LE(protocol, 0x206);
  setup.writeUInt32LE(16, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([setup, Buffer.alloc(16, 0x90), payload, Buffer.from("what follows")]);
}

/** The kernel's build appends the unpacked size to all forms but gzip, which ends with it anyway. */
function withSize(packed: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(KERNEL.length);
  return Buffer.concat([packed, size]);
}

function packWithXz(format: string): Buffer {
  return spawnSync("xz", ["--stdout", `--format=${format}`], { input: KERNEL }).stdout;
}

test("the payload is found by the boot header", () => {
  assert.equal(Buffer.from(findPayload(makeBzImage(Buffer.from("payload")))).toString(), "payload");
});

test("a kernel comes out of every form of compression that Node or Debian's base can unpack", async () => {
  const forms: [string, Buffer][] = [
    ["gzip", gzipSync(KERNEL)],
    ["zstd", withSize(zstdCompressSync(KERNEL))],
    ["xz", withSize(packWithXz("xz"))],
    ["lzma", withSize(packWithXz("lzma"))],
    ["none", KERNEL],
  ];
  for (const [form, payload] of forms) {
    assert.equal(detectCompression(payload), form);
    assert.ok(KERNEL.equals(await extractVmlinux(makeBzImage(payload))), form);
  }
});

test("what is no bzImage, or is cut short, is refused", async () => {
  const image = makeBzImage(gzipSync(KERNEL));
  await assert.rejects(extractVmlinux(Buffer.alloc(100)), /too short/);
  await assert.rejects(extractVmlinux(Buffer.alloc(4096)), /no boot header/);
  await assert.rejects(extractVmlinux(image.subarray(0, 2100)), /cut short/);
  await assert.rejects(extractVmlinux(makeBzImage(KERNEL, 0x0207)), /protocol 0x207 is too old/);
});

test("a payload that is no kernel with PVH is refused", async () => {
  await assert.rejects(extractVmlinux(makeBzImage(Buffer.from("????????"))), /unknown form/);
  await assert.rejects(extractVmlinux(makeBzImage(gzipSync("some text"))), /not an ELF/);
  const without = makeElf([{ name: ".text", data: Buffer.from("code") }]);
  assert.equal(hasPvhEntry(without), false);
  await assert.rejects(extractVmlinux(makeBzImage(gzipSync(without))), /no PVH entry/);
});
