import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameError } from "../hyperstart/frame-error.ts";
import { concat, cut, encode, hex } from "../test-support/bytes.ts";
import type { ProxyFrame, ProxySide } from "./frame.ts";
import { encodeProxyFrame, ProxyDecoder, writeProxyHeader } from "./frame.ts";
import { FrameType, HIGHEST_OPCODE, ProxyCommand, ProxyNotification, ProxyStream } from "./frame-kinds.ts";
import { MAX_COMMAND_BYTES, MAX_STREAM_BYTES } from "./limits.ts";

const { COMMAND, RESPONSE, STREAM, NOTIFICATION } = FrameType;

/** Written by hand after the protocol's fact sheet. */
const golden: [name: string, to: ProxySide, bytes: string, frame: ProxyFrame][] = [
  [
    "DisconnectShim",
    "proxy",
    "0002 03 000000 00 05 00000000",
    { type: COMMAND, opcode: ProxyCommand.DISCONNECT_SHIM, isError: false, payload: hex("") },
  ],
  [
    "stdin",
    "proxy",
    "0002 03 000000 02 00 00000003 616263",
    { type: STREAM, opcode: ProxyStream.STDIN, isError: false, payload: encode("abc") },
  ],
  [
    "an error of Hyper",
    "client",
    "0002 03 000000 11 03 0000000b 7b226d7367223a2278227d",
    { type: RESPONSE, opcode: ProxyCommand.HYPER, isError: true, payload: encode('{"msg":"x"}') },
  ],
  [
    "stderr",
    "client",
    "0002 03 000000 02 02 00000001 21",
    { type: STREAM, opcode: ProxyStream.STDERR, isError: false, payload: encode("!") },
  ],
  [
    "ProcessExited",
    "client",
    "0002 03 000000 03 00 00000001 07",
    { type: NOTIFICATION, opcode: ProxyNotification.PROCESS_EXITED, isError: false, payload: hex("07") },
  ],
  [
    "the end of any process",
    "client",
    "0002 03 000000 03 01 00000002 7b7d",
    { type: NOTIFICATION, opcode: ProxyNotification.GUEST_EXIT, isError: false, payload: encode("{}") },
  ],
];

for (const [name, side, digits, frame] of golden) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeProxyFrame(frame, frame.payload), hex(digits));
    assert.deepEqual(new ProxyDecoder(side).push(hex(digits)), [frame]);
  });
}

test("what a longer header has more is skipped", () => {
  const long = hex("0002 05 000000 00 06 00000002 aaaaaaaa bbbbbbbb 7b7d");
  const [frame] = new ProxyDecoder("proxy").push(long);
  assert.deepEqual(frame?.payload, encode("{}"));
});

const refused: [name: string, side: ProxySide, digits: string, code: string][] = [
  ["another version", "proxy", "0001 03 000000 00 00 00000000", "ERR_FRAME_HEADER"],
  ["a header that is too short", "proxy", "0002 02 000000 00 00 00000000", "ERR_FRAME_HEADER"],
  ["an unknown type", "proxy", "0002 03 000000 04 00 00000000", "ERR_FRAME_HEADER"],
  ["a response from a client", "proxy", "0002 03 000000 01 00 00000000", "ERR_FRAME_HEADER"],
  ["a notification from a client", "proxy", "0002 03 000000 03 00 00000000", "ERR_FRAME_HEADER"],
  ["a command from a proxy", "client", "0002 03 000000 00 00 00000000", "ERR_FRAME_HEADER"],
  ["an unknown command", "proxy", "0002 03 000000 00 07 00000000", "ERR_FRAME_HEADER"],
  ["an unknown stream", "proxy", "0002 03 000000 02 05 00000000", "ERR_FRAME_HEADER"],
  ["an unknown notification", "client", "0002 03 000000 03 02 00000000", "ERR_FRAME_HEADER"],
  ["a stream's payload that is too long", "proxy", "0002 03 000000 02 00 00010001", "ERR_FRAME_LENGTH"],
  ["a command's payload that is too long", "proxy", "0002 03 000000 00 03 ffffffff", "ERR_FRAME_LENGTH"],
];

for (const [name, side, digits, code] of refused) {
  test(`${name} stops the decoder, with the frames before it`, () => {
    const decoder = new ProxyDecoder(side);
    const good = encodeProxyFrame({ type: STREAM, opcode: ProxyStream.STDIN }, "x");
    const isExpected = (error: unknown) =>
      error instanceof FrameError && error.code === code && error.frames.length === 1;
    assert.throws(() => decoder.push(concat([good, hex(digits)])), isExpected);
    assert.throws(() => decoder.push(good), { code: "ERR_FRAME_STOPPED" });
  });
}

test("a payload longer than its type may be cannot be written", () => {
  const stream = { type: STREAM, opcode: ProxyStream.STDOUT };
  assert.equal(encodeProxyFrame(stream, new Uint8Array(MAX_STREAM_BYTES)).length, 12 + MAX_STREAM_BYTES);
  assert.throws(() => encodeProxyFrame(stream, new Uint8Array(MAX_STREAM_BYTES + 1)), RangeError);
  assert.throws(() => writeProxyHeader(new Uint8Array(11), stream, 0), RangeError);
  const command = { type: COMMAND, opcode: ProxyCommand.HYPER };
  assert.throws(() => encodeProxyFrame(command, new Uint8Array(MAX_COMMAND_BYTES + 1)), RangeError);
});

test("any frames, cut anywhere, come out as they went in", () => {
  const arbitraryFrame = fc.constantFrom(COMMAND, STREAM).chain((type) =>
    fc.record(
      {
        type: fc.constant(type),
        opcode: fc.integer({ min: 0, max: HIGHEST_OPCODE[type] ?? 0 }),
        isError: fc.constant(false),
        payload: fc.uint8Array({ maxLength: 600 }),
      },
      { noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(fc.array(arbitraryFrame, { maxLength: 8 }), fc.array(fc.nat(3000)), (frames, offsets) => {
      const bytes = concat(frames.map((frame) => encodeProxyFrame(frame, frame.payload)));
      const decoder = new ProxyDecoder("proxy");
      const read = cut(bytes, offsets).flatMap((piece) => decoder.push(piece));
      assert.deepEqual(read, frames);
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
});
