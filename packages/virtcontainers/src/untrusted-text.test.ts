import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cleanText } from "./untrusted-text.ts";

test("escape sequences and control characters are taken out, lines stay", () => {
  assert.equal(cleanText("\x1b[31mred\x1b[0m\r\n\x07b\tc\x9b"), "red\nb\tc");
});

test("nothing that a terminal acts on is left", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const character of cleanText(text)) {
        const code = character.codePointAt(0) ?? 0;
        assert.ok(code === 0x0a || code === 0x09 || (code >= 0x20 && code < 0x7f) || code >= 0xa0);
      }
    }),
  );
});
