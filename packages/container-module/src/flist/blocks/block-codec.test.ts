import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isBlock, MAX_PLAIN_BYTES, MAX_SEALED_BYTES, openBlock, sealBlock } from "./block-codec.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What Rust's snap, Python's hashlib and OpenSSL made of the same bytes; rfs puts the like together in the same way. */
const GOLDEN = [
  {
    plain: Buffer.from("hello world\n"),
    id: "d139c46e6cc65acfa2eef1d0cd7abf014667fdc9a5ca75d9184671f97301a0db",
    key: "c71b05fd1d1c7bf7e928ff18e58db5193e9316416cc26ba9cc9094da80d7011e",
    sealed: "e565e4a3ac6198a15bf18a61f66ca364542240205ab53f72e221a7bc1837",
  },
  {
    plain: Buffer.from("abcd".repeat(50)),
    id: "78ed5740d343d16417ea956f78a62dd088d3dfb5249732db601ec77097b1a8c7",
    key: "4000afb0c84316ff07b9f334f71ff15d3867bbecda1466f6e22d753207b066d0",
    sealed: "284000b70ee5ac246a6efb0a156da58ba15ac9072320736c9e5001309600853e1868",
  },
];

/** The same of blocks that are too long to stand here: id and key. */
const LONG_GOLDEN = [
  {
    plain: Buffer.alloc(MAX_PLAIN_BYTES),
    id: "e8fd6b2d9a2e8851d12163c43f3024c31fcac6b486bceacf042d323f8e6f6640",
    key: "0a93174557b2e0668f2531531415142280358ee32605d059dab1ce8ebbb1cc01",
  },
  {
    plain: Buffer.from(
      Array.from(
        { length: 9000 },
        (_, i) => `line ${(i * i) % 97} of a file that has many lines, each like the other\n`,
      ).join(""),
    ).subarray(0, MAX_PLAIN_BYTES),
    id: "d3ea760b653a0162bf05bbd47364ea190396798496fda74ba07cf2aa66b450c7",
    key: "57a2d0935ca02e27c4608e96201e4220c9fc938565b58274a47471df3ebe6a2e",
  },
];

test("a block is sealed as others seal it, to the byte", async () => {
  for (const { plain, id, key, sealed } of GOLDEN) {
    const block = await sealBlock(plain);
    assert.deepEqual([toHex(block.id), toHex(block.key), toHex(block.sealed)], [id, key, sealed]);
  }
  for (const { plain, id, key } of LONG_GOLDEN) {
    const block = await sealBlock(plain);
    assert.deepEqual([toHex(block.id), toHex(block.key)], [id, key]);
  }
});

test("a block that others sealed is opened", async () => {
  for (const { plain, id, key, sealed } of GOLDEN) {
    assert.ok(await isBlock(hex(id), hex(sealed)));
    assert.deepEqual(await openBlock(hex(key), hex(sealed)), Uint8Array.from(plain));
  }
});

test("any bytes come back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (plain) => {
      const { id, key, sealed } = await sealBlock(plain);
      assert.ok(sealed.length <= MAX_SEALED_BYTES && (await isBlock(id, sealed)));
      assert.deepEqual(await openBlock(key, sealed), plain);
    }),
  );
});

test("a changed bit is seen, by the id and by the key", async () => {
  const { id, key, sealed } = await sealBlock(Buffer.from("some bytes, some bytes, some bytes"));
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.ok(!(await isBlock(id, changed)));
    await assert.rejects(openBlock(key, changed), /key does not fit/);
  }
  await assert.rejects(openBlock(key, sealed.subarray(0, 15)), /only 15 bytes/);
  await assert.rejects(openBlock((await sealBlock(Buffer.from("x"))).key, sealed), /key does not fit/);
});

test("bytes that cannot be compressed have room", async () => {
  const noise = Uint8Array.from({ length: MAX_PLAIN_BYTES }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  assert.ok((await sealBlock(noise)).sealed.length <= MAX_SEALED_BYTES);
});
