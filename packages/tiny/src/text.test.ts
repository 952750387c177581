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
