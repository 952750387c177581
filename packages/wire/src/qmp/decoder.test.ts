import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cut } from "../test-support/bytes.ts";
import { QmpDecoder, QmpProtocolError } from "./decoder.ts";
import type { QmpMessage } from "./message.ts";
import { isQmpEvent } from "./message.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A conversation as QEMU 7.2 holds it, and one line with characters of 2, 3 and 4 bytes. */
const conversation = [
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2"}, "capabilities": ["oob"]}}',
  '{"return": {}, "id": 1}',
  '{"timestamp": {"seconds": 1700000000, "microseconds": 123456}, "event": "STOP"}',
  '{"id": 2, "error": {"class": "GenericError", "desc": "Device \'ü€😀\' not found"}}',
  '{"return": {"status": "running", "singlestep": false, "running": true}, "id": 3}',
  '{"timestamp": {"seconds": -1, "microseconds": -1}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}',
].join("\r\n");

const messages: QmpMessage[] = [
  {
    kind: "greeting",
    version: { qemu: { major: 7, minor: 2, micro: 22 }, package: "Debian 1:7.2" },
    capabilities: ["oob"],
  },
  { kind: "return", id: 1, value: {} },
  { kind: "event", event: "STOP", data: {}, timeMs: 1700000000123 },
  { kind: "error", id: 2, errorClass: "GenericError", description: "Device 'ü€😀' not found" },
  { kind: "return", id: 3, value: { status: "running", singlestep: false, running: true } },
  { kind: "event", event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } },
];

/** The error that pushing a text causes. */
function errorOf(text: string, decoder = new QmpDecoder()): QmpProtocolError {
  try {
    decoder.push(encode(text));
  } catch (error) {
    assert.ok(error instanceof QmpProtocolError);
    return error;
  }
  return assert.fail("no QmpProtocolError");
}

test("a conversation, cut anywhere, gives its messages", () => {
  const bytes = encode(`${conversation}\r\n`);
  assert.deepEqual(new QmpDecoder().push(bytes), messages);
  const everywhere = Array.from(bytes, (_, at) => at);
  const cuts = fc.oneof(fc.constant(everywhere), fc.array(fc.nat(bytes.length)));
  fc.assert(
    fc.property(cuts, (offsets) => {
      const decoder = new QmpDecoder();
      assert.deepEqual(
        cut(bytes, offsets).flatMap((piece) => decoder.push(piece)),
        messages,
      );
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
});

test("a message ends with its newline and not before", () => {
  const decoder = new QmpDecoder();
  assert.deepEqual(decoder.push(encode('{"return": {}}')), []);
  assert.equal(decoder.pendingBytes, 14);
  assert.deepEqual(decoder.push(encode("\n\r\n\n")), [{ kind: "return", value: {} }]);
});

test("isQmpEvent tells events apart", () => {
  const shutdown = messages[5];
  assert.ok(shutdown && isQmpEvent(shutdown, "SHUTDOWN"));
  assert.equal(shutdown.data.reason, "guest-shutdown");
  assert.equal(isQmpEvent(shutdown, "STOP"), false);
});

test("a known event has its data, an unknown one may have any", () => {
  assert.deepEqual(new QmpDecoder().push(encode('{"event":"DEVICE_DELETED","data":{"path":"/a"}}\n')), [
    { kind: "event", event: "DEVICE_DELETED", data: { path: "/a" } },
  ]);
  assert.deepEqual(new QmpDecoder().push(encode('{"event":"constructor","data":{"a":[1]}}\n')), [
    { kind: "event", event: "constructor", data: { a: [1] } },
  ]);
  for (const text of [
    '{"event":"SHUTDOWN"}',
    '{"event":"SHUTDOWN","data":{"guest":1,"reason":"a"}}',
    '{"event":"DEVICE_DELETED","data":{"device":5,"path":"/a"}}',
    '{"event":"GUEST_PANICKED","data":{"action":null}}',
    '{"event":"STOP","data":[]}',
    '{"event":5}',
  ]) {
    assert.equal(errorOf(`${text}\n`).code, "ERR_QMP_SYNTAX");
  }
});

test("what is no QMP message ends the connection", () => {
  for (const text of [
    ...["garbage", "{", "[]", "5", "null", '"x"', "{}", '{"id":1}', '{"return":{}} {"return":{}}'],
    ...[
      '{"error":"a"}',
      '{"error":{"class":"a"}}',
      '{"QMP":{}}',
      '{"QMP":{"version":{"qemu":{"major":"7"}}}}',
    ],
  ]) {
    const error = errorOf(`{"return":1}\n${text}\n`);
    assert.equal(error.code, "ERR_QMP_SYNTAX");
    assert.deepEqual(error.messages, [{ kind: "return", value: 1 }]);
  }
});

test("bytes that are no UTF-8 end the connection", () => {
  const bytes = encode('{"return":"a"}\n');
  bytes[11] = 0xff;
  assert.throws(() => new QmpDecoder().push(bytes), { code: "ERR_QMP_SYNTAX" });
});

test("an id that is not ours is none", () => {
  assert.deepEqual(new QmpDecoder().push(encode('{"return":1,"id":"x"}\n{"return":1,"id":-1}\n')), [
    { kind: "return", value: 1 },
    { kind: "return", value: 1 },
  ]);
});

test("a message is bounded, in one piece or many", () => {
  const exact = `{"return":"${"x".repeat(87)}"}`;
  assert.equal(exact.length, 100);
  const bounded = () => new QmpDecoder({ maxMessageBytes: 100 });
  assert.equal(bounded().push(encode(`${exact}\n`)).length, 1);
  assert.equal(errorOf(`${exact} \n`, bounded()).code, "ERR_QMP_LENGTH");
  assert.equal(errorOf(`${exact} `, bounded()).code, "ERR_QMP_LENGTH");
  const decoder = bounded();
  decoder.push(encode(exact));
  assert.equal(errorOf(" ", decoder).code, "ERR_QMP_LENGTH");
  assert.equal(decoder.pendingBytes, 0);
  assert.equal(errorOf("\n", decoder).code, "ERR_QMP_STOPPED");
  assert.equal(errorOf("x".repeat(1024 * 1024 + 1)).code, "ERR_QMP_LENGTH");
});
