import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineDecoder } from "./line-decoder.ts";
import {
  type ClientMessage,
  encodeClientMessage,
  encodeServiceMessage,
  MAX_REQUEST_BYTES,
  parseClientMessage,
  parseServiceMessage,
  type ServiceMessage,
} from "./messages.ts";
import { ServiceProtocolError } from "./protocol-error.ts";

const plain = { noNullPrototype: true };
const id = fc.maxSafeNat();
const data = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: "binary" });
const json = fc.jsonValue({ stringUnit: "grapheme" }).map((value) => JSON.parse(JSON.stringify(value)));

const clientMessages: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.record({ kind: fc.constant("call"), id, method: text, params: json }, plain),
  fc.record({ kind: fc.constant("cancel"), id }, plain),
  fc.record({ kind: fc.constant("input"), id, data: fc.option(data, { nil: undefined }) }, plain),
);
const error = fc.record({ code: text, message: text, hint: text, containerId: text }, plain);
const stream = fc.constantFrom("stdout", "stderr");
const serviceMessages: fc.Arbitrary<ServiceMessage> = fc.oneof(
  fc.record({ kind: fc.constant("result"), id, result: json }, plain),
  fc.record({ kind: fc.constant("error"), id: fc.option(id, { nil: undefined }), error }, plain),
  fc.record({ kind: fc.constant("started"), id }, plain),
  fc.record({ kind: fc.constant("output"), id, stream, data }, plain),
  fc.record({ kind: fc.constant("taken"), id, bytes: id }, plain),
);

/** Sends lines in pieces of any length. */
function readLines(lines: readonly string[], pieceLengths: readonly number[]): string[] {
  const decoder = new LineDecoder(MAX_REQUEST_BYTES);
  const bytes = Buffer.from(lines.join(""));
  const read: string[] = [];
  let at = 0;
  for (const length of [...pieceLengths, bytes.length]) {
    read.push(...decoder.push(bytes.subarray(at, at + length)));
    at += length;
  }
  assert.equal(decoder.pendingBytes, 0);
  return read;
}

test("any messages, cut anywhere, come out as they went in", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 200 }));
  fc.assert(
    fc.property(fc.array(clientMessages, { maxLength: 6 }), pieces, (messages, lengths) => {
      assert.deepEqual(
        readLines(messages.map(encodeClientMessage), lengths).map(parseClientMessage),
        messages,
      );
    }),
  );
  fc.assert(
    fc.property(fc.array(serviceMessages, { maxLength: 6 }), pieces, (messages, lengths) => {
      const read = readLines(messages.map(encodeServiceMessage), lengths).map(parseServiceMessage);
      assert.deepEqual(read, messages);
    }),
  );
});

test("messages have their golden lines", () => {
  const call: ClientMessage = { kind: "call", id: 1, method: "list", params: { ns: "acme" } };
  assert.equal(encodeClientMessage(call), '{"id":1,"method":"list","params":{"ns":"acme"}}\n');
  assert.equal(encodeClientMessage({ kind: "input", id: 2, data: undefined }), '{"id":2,"input":null}\n');
  const output: ServiceMessage = { kind: "output", id: 3, stream: "stdout", data: Buffer.from("hi") };
  assert.equal(encodeServiceMessage(output), '{"id":3,"stream":"stdout","output":"aGk="}\n');
  assert.equal(
    encodeServiceMessage({ kind: "result", id: 4, result: undefined }),
    '{"id":4,"result":null}\n',
  );
});

test("any line is a message or a ServiceProtocolError, and nothing else", () => {
  const shaped = fc.record(
    {
      id: fc.oneof(id, json),
      method: fc.oneof(text, json),
      params: json,
      cancel: fc.oneof(fc.boolean(), json),
      input: json,
      output: json,
      stream: json,
      taken: json,
      started: json,
      result: json,
      error: fc.oneof(error, json),
    },
    { requiredKeys: [] },
  );
  const lines = fc.oneof(
    text,
    fc.json(),
    shaped.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(lines, (line) => {
      for (const parse of [parseClientMessage, parseServiceMessage]) {
        try {
          assert.ok(parse(line).kind);
        } catch (thrown) {
          assert.ok(thrown instanceof ServiceProtocolError, String(thrown));
        }
      }
    }),
  );
});

test("the longest line passes, a longer one and one that is not UTF-8 do not", () => {
  const decoder = new LineDecoder(MAX_REQUEST_BYTES);
  const [line] = decoder.push(Buffer.from(`${"x".repeat(MAX_REQUEST_BYTES)}\n`));
  assert.equal(line?.length, MAX_REQUEST_BYTES);
  assert.throws(() => [...decoder.push(Buffer.alloc(MAX_REQUEST_BYTES + 1, "x"))], ServiceProtocolError);
  assert.throws(
    () => [...new LineDecoder(MAX_REQUEST_BYTES).push(Buffer.from([0xff, 10]))],
    ServiceProtocolError,
  );
});
