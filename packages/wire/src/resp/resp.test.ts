import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeRespCommand, RespDecoder, type RespReply } from "./index.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const decode = (text: string, maxBulkBytes = 100) => new RespDecoder(maxBulkBytes).feed(bytesOf(text));

test("a command is an array of strings of bytes", () => {
  const command = encodeRespCommand(["GET", Uint8Array.of(0x00, 0xff, 0x0d, 0x0a)]);
  assert.deepEqual(command, bytesOf("*2\r\n$3\r\nGET\r\n$4\r\n\x00\xff\r\n\r\n"));
});

test("every kind of answer is read", () => {
  assert.deepEqual(decode("+OK\r\n-ERR no\r\n:12\r\n$-1\r\n$0\r\n\r\n$3\r\na\r\n\r\n"), [
    { kind: "text", text: "OK" },
    { kind: "error", text: "ERR no" },
    { kind: "number", value: 12 },
    { kind: "nothing" },
    { kind: "bytes", bytes: new Uint8Array() },
    { kind: "bytes", bytes: bytesOf("a\r\n") },
  ]);
});

test("what is no answer is refused", () => {
  const bad = ["*1\r\n", "?\r\n", "\r\n", "+OK\n", "$x\r\n", "$-2\r\n", "$101\r\n", "$1\r\nabc", ":1.5\r\n"];
  for (const text of [...bad, `+${"x".repeat(2000)}`]) assert.throws(() => decode(text), Error, text);
});

test("where the bytes are cut makes no difference", () => {
  const reply = fc.oneof<fc.Arbitrary<RespReply>[]>(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => ({ kind: "bytes", bytes })),
    fc.stringMatching(/^[a-z ]*$/).map((text) => ({ kind: "text", text })),
    fc.integer().map((value) => ({ kind: "number", value })),
    fc.constant({ kind: "nothing" }),
  );
  fc.assert(
    fc.property(fc.array(reply), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (replies, cuts) => {
      const bytes = Buffer.concat(replies.map(encodeReply));
      const decoder = new RespDecoder(100);
      const read: RespReply[] = [];
      for (let at = 0; at < bytes.length; ) {
        const next = at + (cuts.next().value ?? 1);
        read.push(...decoder.feed(Uint8Array.from(bytes.subarray(at, next))));
        at = next;
      }
      assert.deepEqual(read, replies);
    }),
  );
});

test("any bytes are refused or read, and nothing else happens", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new RespDecoder(50).feed(bytes);
      } catch (error) {
        assert.equal((error as Error).constructor, Error);
      }
    }),
  );
});

function encodeReply(reply: RespReply): Uint8Array {
  if (reply.kind === "bytes")
    return Buffer.concat([bytesOf(`$${reply.bytes.length}\r\n`), reply.bytes, bytesOf("\r\n")]);
  if (reply.kind === "number") return bytesOf(`:${reply.value}\r\n`);
  return bytesOf(reply.kind === "nothing" ? "$-1\r\n" : `+${reply.text}\r\n`);
}
