import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { attachTargets } from "../../fuzz/attach-targets.ts";
import { runTargets } from "../../fuzz/run.ts";
import { concat, cut, encode, hex, json } from "../test-support/bytes.ts";
import {
  type AttachEvent,
  AttachEventDecoder,
  AttachProtocolError,
  type AttachRequest,
  AttachRequestDecoder,
  encodeExit,
  encodeExitRecord,
  encodeHello,
  encodeOutput,
  encodeResize,
  encodeSignal,
  encodeStdin,
  encodeSubscribe,
  MAX_ATTACH_OUTPUT_BYTES,
  MAX_ATTACH_PAYLOAD_BYTES,
  parseExitRecord,
} from "./index.ts";

const hello = {
  containerId: "web",
  terminal: false,
  interactive: true,
  positions: { stdout: 7, stderr: 2 ** 40 },
};
const time = "2026-11-23T01:02:03.456Z";

function encodeRequest(request: AttachRequest): Uint8Array {
  if (request.kind === "stdin") return encodeStdin(request.data);
  if (request.kind === "subscribe") return encodeSubscribe(request.output);
  if (request.kind === "resize") return encodeResize(request.rows, request.columns);
  return encodeSignal(request.signal);
}

function encodeEvent(event: AttachEvent): Uint8Array {
  if (event.kind === "output") return encodeOutput(event.name, event.offset, event.data);
  return event.kind === "hello" ? encodeHello(event.hello) : encodeExit(event.exit);
}

const requests: [name: string, bytes: Uint8Array, request: AttachRequest][] = [
  ["a subscription", hex("01000000 00000001 01"), { kind: "subscribe", output: true }],
  ["the end of one", hex("01000000 00000001 00"), { kind: "subscribe", output: false }],
  ["input", hex("02000000 00000002 6869"), { kind: "stdin", data: hex("6869") }],
  ["the end of input", hex("02000000 00000000"), { kind: "stdin", data: hex("") }],
  ["a size", hex("03000000 00000004 0018 0150"), { kind: "resize", rows: 24, columns: 336 }],
  ["a large size", hex("03000000 00000004 ffff ffff"), { kind: "resize", rows: 65535, columns: 65535 }],
  ["a signal", hex("04000000 00000004 0000000f"), { kind: "signal", signal: 15 }],
];
for (const [name, bytes, request] of requests) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeRequest(request), bytes);
    assert.deepEqual(new AttachRequestDecoder().push(bytes), [request]);
  });
}

const events: [name: string, bytes: Uint8Array, event: AttachEvent][] = [
  [
    "output",
    hex("11000000 0000000a 0000000000000007 6869"),
    { kind: "output", name: "stdout", offset: 7, data: hex("6869") },
  ],
  [
    "errors far behind",
    hex("12000000 00000009 001fffffffffffff 61"),
    { kind: "output", name: "stderr", offset: 2 ** 53 - 1, data: hex("61") },
  ],
  ["a hello", concat([hex("10000000 00000069"), json(hello)]), { kind: "hello", hello }],
  [
    "an exit",
    concat([hex("13000000 00000030"), encode(`{"exitCode":3,"time":"${time}"}`)]),
    { kind: "exit", exit: { exitCode: 3, time } },
  ],
];
for (const [name, bytes, event] of events) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeEvent(event), bytes);
    assert.deepEqual(new AttachEventDecoder().push(bytes), [event]);
  });
}

const data = fc.uint8Array({ maxLength: 600 });
const size = fc.nat(65535);
const arbitraryRequest: fc.Arbitrary<AttachRequest> = fc.oneof(
  fc.record({ kind: fc.constant("subscribe"), output: fc.boolean() }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("stdin"), data }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("resize"), rows: size, columns: size }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant("signal"), signal: fc.integer({ min: 1, max: 64 }) },
    { noNullPrototype: true },
  ),
);
const arbitraryOutput: fc.Arbitrary<AttachEvent> = fc.record(
  {
    kind: fc.constant("output"),
    name: fc.constantFrom("stdout", "stderr"),
    offset: fc.maxSafeNat(),
    data,
  },
  { noNullPrototype: true },
);

test("any messages, cut anywhere, come out as they went in", () => {
  const offsets = fc.array(fc.nat(3000));
  fc.assert(
    fc.property(fc.array(arbitraryRequest, { maxLength: 6 }), offsets, (messages, at) => {
      const decoder = new AttachRequestDecoder();
      const pieces = cut(concat(messages.map(encodeRequest)), at);
      assert.deepEqual(
        pieces.flatMap((piece) => decoder.push(piece)),
        messages,
      );
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
  fc.assert(
    fc.property(fc.array(arbitraryOutput, { maxLength: 6 }), offsets, (messages, at) => {
      const decoder = new AttachEventDecoder();
      const all: AttachEvent[] = [{ kind: "hello", hello }, ...messages];
      assert.deepEqual(
        cut(concat(all.map(encodeEvent)), at).flatMap((piece) => decoder.push(piece)),
        all,
      );
    }),
  );
});

test("the longest frames pass, longer ones are neither written nor taken", () => {
  const most = new Uint8Array(MAX_ATTACH_PAYLOAD_BYTES);
  assert.equal(new AttachRequestDecoder().push(encodeStdin(most)).length, 1);
  const output = encodeOutput("stdout", 0, most.subarray(0, MAX_ATTACH_OUTPUT_BYTES));
  assert.equal(new AttachEventDecoder().push(output).length, 1);
  assert.throws(() => encodeStdin(new Uint8Array(MAX_ATTACH_PAYLOAD_BYTES + 1)), RangeError);
  assert.throws(() => encodeOutput("stdout", 0, most), RangeError);
  assert.throws(() => new AttachRequestDecoder().push(hex("02000000 00010001")), AttachProtocolError);
});

test("what cannot be a message ends the connection, with those before it", () => {
  const bad = [
    "00000000 00000000",
    "01000000 00000000",
    "01010000 00000001 01",
    "03000000 00000003 000000",
    "04000000 00000004 00000000",
    "04000000 00000004 00000041",
    "05000000 00000000",
    "02000000 ffffffff",
  ];
  for (const bytes of bad) {
    const decoder = new AttachRequestDecoder();
    assert.throws(
      () => decoder.push(concat([encodeSignal(1), hex(bytes)])),
      (error) => {
        assert.ok(error instanceof AttachProtocolError, String(error));
        assert.deepEqual(error.messages, [{ kind: "signal", signal: 1 }]);
        return true;
      },
    );
    assert.throws(() => decoder.push(encodeSignal(1)), AttachProtocolError);
    assert.equal(decoder.pendingBytes, 0);
  }
});

test("a shim's strange events are refused", () => {
  const texts = [
    "{}",
    "no",
    '{"exitCode":256,"time":"2026-11-23T01:02:03.456Z"}',
    '{"exitCode":1,"time":"soon"}',
  ];
  for (const text of texts) {
    const body = encode(text);
    const frame = concat([hex(`13000000 000000${body.length.toString(16).padStart(2, "0")}`), body]);
    assert.throws(() => new AttachEventDecoder().push(frame), AttachProtocolError, text);
    assert.throws(() => parseExitRecord(body), text);
  }
  assert.throws(
    () => new AttachEventDecoder().push(hex("11000000 00000007 00000000000000")),
    AttachProtocolError,
  );
  assert.throws(
    () => new AttachEventDecoder().push(hex("11000000 00000008 0020000000000000")),
    AttachProtocolError,
  );
});

test("what nobody can have meant is not written", () => {
  assert.throws(() => encodeResize(65536, 1), RangeError);
  assert.throws(() => encodeResize(1, -1), RangeError);
  assert.throws(() => encodeSignal(0), RangeError);
  assert.throws(() => encodeSignal(65), RangeError);
  assert.throws(() => encodeOutput("stderr", 2 ** 53, new Uint8Array(0)), RangeError);
});

test("exit records are read as they were written", () => {
  for (const record of [
    { exitCode: 0, time },
    { lost: 'the proxy is gone\n"for good"', time: "2026-11-23T01:02:03Z" },
  ])
    assert.deepEqual(parseExitRecord(encodeExitRecord(record)), record);
});

for (const target of attachTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
