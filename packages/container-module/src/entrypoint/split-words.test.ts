import assert from "node:assert/strict";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import fc from "fast-check";
import { splitWords } from "./split-words.ts";

test("a line is split as google/shlex splits it", () => {
  const table: [string, string[]][] = [
    ["", []],
    [" \t\r\n", []],
    ["one two  three", ["one", "two", "three"]],
    ["one\ttwo\rthree\nfour", ["one", "two", "three", "four"]],
    [`one "two three" four`, ["one", "two three", "four"]],
    [`one 'two "three" \\' four`, ["one", `two "three" \\`, "four"]],
    [`"a \\"b\\" \\n \\\\ 'c'"`, [`a "b" n \\ 'c'`]],
    ["one\\ two \\n \\'", ["one two", "n", "'"]],
    [`pa"rt o"f' one'`, ["part of one"]],
    [`"" '' a""`, ["", "", "a"]],
    ["one # the rest is\ntwo#not #but this", ["one", "two#not"]],
    [`one "#two" '#three' \\#four`, ["one", "#two", "#three", "#four"]],
    ["# nothing but a comment", []],
    ["$HOME *.c a|b >c && d; `e` ~", ["$HOME", "*.c", "a|b", ">c", "&&", "d;", "`e`", "~"]],
    ["größe 日本 😀", ["größe", "日本", "😀"]],
    ["\\😀a", ["😀a"]],
    ["a\\\nb", ["a\nb"]],
  ];
  for (const [line, words] of table) assert.deepEqual(splitWords(line), words, JSON.stringify(line));
});

test("a line that ends too early is refused", () => {
  const table: [string, RegExp][] = [
    [`one "two`, /ends within "/],
    ["one 'two", /ends within '/],
    ["one two\\", /ends after a backslash/],
    [`"one\\`, /ends after a backslash/],
  ];
  for (const [line, why] of table) {
    assert.throws(
      () => splitWords(line),
      (error) => isHuskError(error, "ERR_ENTRYPOINT_INVALID") && why.test(error.message),
      line,
    );
  }
});

test("whatever is quoted comes back", () => {
  const quote = (word: string, how: number) => {
    if (how === 0) return `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
    if (how === 1) return `'${word.replaceAll("'", `'"'"'`)}'`;
    return `""${[...word].map((character) => `\\${character}`).join("")}`;
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.nat(2))), (words) => {
      const line = words.map(([word, how]) => quote(word, how)).join(" \t\n");
      assert.deepEqual(
        splitWords(line),
        words.map(([word]) => word),
      );
    }),
  );
});
