import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "../test-support/bytes.ts";
import { decodeErrorText } from "./error-text.ts";

const encode = (text: string) => new TextEncoder().encode(text);

test("the C agent's text loses its NUL", () => {
  assert.equal(decodeErrorText(encode("no such container\0")), "no such container");
  assert.equal(decodeErrorText(new Uint8Array(0)), "");
});

test("nothing reaches a terminal that could steer it", () => {
  assert.equal(decodeErrorText(encode("a\x1b[2Jb\nc\u202ed\u2028e")), "a [2Jb c d e");
  assert.equal(decodeErrorText(hex("61 ff 62")), "a\ufffdb");
});

test("a text is cut to 1024 bytes", () => {
  assert.equal(decodeErrorText(encode("x".repeat(5000))).length, 1024);
});
