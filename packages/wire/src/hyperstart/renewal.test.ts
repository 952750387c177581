import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRenewal } from "./renewal.ts";

const RANDOM = "a5".repeat(32);

function parse(payload: object) {
  return parseRenewal(new TextEncoder().encode(JSON.stringify(payload)));
}

test("a renewal is read as it was written", () => {
  const renewal = { seconds: 1_795_400_166, nanoseconds: 999_999_999, random: RANDOM };
  assert.deepEqual(parse(renewal), renewal);
});

test("what is no time, or no random bytes, is refused by its name", () => {
  const good = { seconds: 1, nanoseconds: 0, random: RANDOM };
  for (const [key, value] of Object.entries({ seconds: -1, nanoseconds: 1e9, random: RANDOM.slice(2) }))
    assert.throws(() => parse({ ...good, [key]: value }), new RegExp(`^PayloadError: ${key}: `));
  for (const random of [undefined, 7, "", "zz".repeat(32), `${RANDOM}a`, "00".repeat(4097)])
    assert.throws(() => parse({ ...good, random }), /random/);
});
