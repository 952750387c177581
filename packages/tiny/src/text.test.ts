import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("text");
const folder = await mkdtemp(join(tmpdir(), "husk-text-"));
after(() => Promise.all([program.remove(), rm(folder, { recursive: true })]));

async function ask(scenario: string, lines: string[]): Promise<unknown> {
  const path = join(folder, scenario);
  await writeFile(path, lines.join("\n"));
  return program.report(scenario, path);
}

const units = (text: string) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

function strictUnits(bytes: Uint8Array): number[] | null {
  try {
    return units(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

/** What Node, whose decoder is the standard's, makes of the same bytes. */
async function compareDecoders(samples: Uint8Array[]): Promise<void> {
  const hex = samples.map((bytes) => Buffer.from(bytes).toString("hex"));
  const found = (await ask("decode", hex)) as unknown[];
  for (const [at, bytes] of samples.entries()) {
    const marked = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const expected = [units(new TextDecoder().decode(bytes)), strictUnits(bytes), units(marked)];
    assert.deepEqual(found[at], expected, hex[at]);
  }
}

test("bytes that are not UTF-8 are replaced as the standard says, or refused", async () => {
  const samples = [
    ..."80 c0 c1bf e08080 e09fbf eda080 edbfbf f0808080 f08fbfbf f4908080 f5808080 ff fe c3 e282 f09f98".split(
      " ",
    ),
    ..."eda0bdedb880 efbfbd efbfbd80 efbbbf41 41efbbbf efbb 00 410042 e282ac f09f9880 f48fbfbf c3a9 c328".split(
      " ",
    ),
    // Of the same length as the text that the replacement gives: a comparison of lengths misses it.
    "eda080efbfbd",
  ];
  await compareDecoders(samples.map((digits) => Uint8Array.from(Buffer.from(digits, "hex"))));
});

test("any bytes are decoded as Node decodes them", async () => {
  const telling = fc.constantFrom(
    0x41,
    0x80,
    0x9f,
    0xa0,
    0xbf,
    0xc2,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xbb,
    0xbd,
  );
  const bytes = fc.array(fc.oneof(telling, telling, fc.integer({ min: 0, max: 255 })), { maxLength: 12 });
  const samples = fc.sample(bytes, { numRuns: 5000, seed: 20250426 }).map((list) => Uint8Array.from(list));
  await compareDecoders(samples);
});

test("any text is encoded as Node encodes it, half pairs too", async () => {
  const unit = fc.oneof(
    fc.constantFrom(0xd800, 0xdbff, 0xdc00, 0xdfff, 0),
    fc.integer({ min: 0, max: 0xffff }),
  );
  const samples = fc.sample(fc.array(unit, { maxLength: 12 }), { numRuns: 2000, seed: 20250426 });
  const expected = samples.map((list) => Buffer.from(String.fromCharCode(...list)).toString("hex"));
  assert.deepEqual(
    await ask(
      "encode",
      samples.map((list) => JSON.stringify(list)),
    ),
    expected,
  );
});

test("nothing is nothing", async () => assert.deepEqual(await program.report("empty"), [0, "", 0]));

/** What the lines of JSON say, checked to be those of the bytes up to an offset. */
function readJsonLines(bytes: Uint8Array, [end, digits]: [end: number, digits: string]): void {
  const lines = Buffer.from(digits, "hex").toString().split("\n");
  assert.equal(lines.pop(), "");
  let offset = 1000;
  for (const line of lines) {
    const entry = JSON.parse(line) as { offset: number; log?: string; base64?: string };
    assert.equal(entry.offset, offset);
    const piece =
      entry.log === undefined ? Buffer.from(entry.base64 ?? "", "base64") : Buffer.from(entry.log);
    const expected = Buffer.from(bytes.subarray(offset - 1000, offset - 1000 + piece.length));
    assert.deepEqual(piece, expected);
    assert.equal(entry.base64 === undefined, strictUnits(piece) !== null, "base64 only of what is not UTF-8");
    assert.ok(piece.length > 0 && piece.length <= 8 && !piece.subarray(0, -1).includes(10));
    offset += piece.length;
  }
  assert.equal(offset - 1000, end);
}

test("lines become lines of JSON, whole, in pieces, whatever is in them", async () => {
  const parts = fc.oneof(
    fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
    fc.uint8Array({ maxLength: 9 }),
    fc.constantFrom(...'\n\t"\\\u0001é€😀'.split("")).map((text) => new TextEncoder().encode(text)),
  );
  const samples = fc
    .sample(fc.array(parts, { maxLength: 8 }), { seed: 7, numRuns: 400 })
    .map((pieces) => Buffer.concat(pieces).subarray(0, 60));
  const hex = samples.map((bytes) => bytes.toString("hex"));
  const cut = (await ask("jsonLines", hex)) as [number, string][];
  const path = join(folder, "jsonLines");
  const final = (await program.report("jsonLines", path, "final")) as [number, string][];
  for (const [at, bytes] of samples.entries()) {
    readJsonLines(bytes, cut[at] as [number, string]);
    readJsonLines(bytes, final[at] as [number, string]);
    assert.equal(final[at]?.[0], bytes.length);
    const left = bytes.subarray(cut[at]?.[0]);
    assert.ok(left.length <= 3 && (left.length === 0 || strictUnits(left) === null), hex[at]);
  }
});

test("a character that is not whole waits for its rest", async () => {
  const whole = Buffer.from("ab€😀\n");
  const cuts = [...whole.keys()].map((end) => whole.subarray(0, end));
  const found = (await ask(
    "jsonLines",
    cuts.map((bytes) => bytes.toString("hex")),
  )) as [number, string][];
  assert.deepEqual(
    found.map(([end]) => end),
    // The limit of 8 bytes cuts the last character, too.
    [0, 1, 2, 2, 2, 5, 5, 5, 5, 9],
  );
});

test("lines are written as far as there is room for the worst of them", async () => {
  assert.deepEqual(await program.report("jsonLinesInRoom"), [
    [0, 0],
    [0, 0],
    [4, 17],
    [14, 53],
    [14, 53],
  ]);
});
