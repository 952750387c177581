import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, cut, encode, hex } from "../test-support/bytes.ts";
import { FieldReader, FieldWriter } from "./fields.ts";
import { TtrpcDecoder } from "./frame-decoder.ts";
import { HEADER_BYTES } from "./limits.ts";
import { decodeRequest, encodeRequest } from "./request.ts";
import { decodeResponse, encodeResponse } from "./response.ts";
import { StatusCode, statusName } from "./status.ts";

const dataOf = (message: Uint8Array) => message.subarray(HEADER_BYTES);
const status = (code: number, message = "") => ({ status: { code, message }, payload: new Uint8Array(0) });

test("a request has its golden bytes, which Go's server has read", () => {
  const request = {
    service: "test.Echo",
    method: "Echo",
    payload: hex("0a03616263"),
    timeoutNano: 3600e9,
    metadata: [
      { key: "k", value: "v1" },
      { key: "k", value: "v2" },
    ],
  };
  const bytes = hex(
    `00000031 00000001 01 00  0a09 746573742e4563686f 1204 4563686f 1a05 0a03616263 20 80c0e285e368
     2a07 0a016b 12027631 2a07 0a016b 12027632`,
  );
  assert.deepEqual(encodeRequest(request, 1), bytes);
  assert.deepEqual(decodeRequest(dataOf(bytes)), request);
});

/** What Go's server, containerd/ttrpc 1.1, has sent. */
const recorded: [name: string, digits: string, code: number, message: string][] = [
  ["a payload", "0000001500000001020012130a03616263120c5b76312076325d2074727565", 0, ""],
  ["NOT_FOUND", "000000130000000302000a110805120d6e6f2073756368207468696e67", 5, "no such thing"],
  ["UNKNOWN", "0000000b0000000502000a0908021205706c61696e", 2, "plain"],
];

for (const [name, digits, code, message] of recorded) {
  test(`Go's answer with ${name} is read`, () => {
    const [frame] = new TtrpcDecoder().push(hex(digits));
    assert.ok(frame?.data);
    assert.equal(frame.type, 2);
    const response = decodeResponse(frame.data);
    assert.deepEqual(response.status, { code, message });
    assert.equal(response.payload.length, code === 0 ? 19 : 0);
  });
}

test("responses have their golden bytes; the status is there even if all went well", () => {
  assert.deepEqual(encodeResponse(status(0), 1), hex("00000002 00000001 02 00 0a00"));
  assert.deepEqual(
    encodeResponse({ status: { code: 0, message: "" }, payload: hex("aabb") }, 0xffff_ffff),
    hex("00000006 ffffffff 02 00 0a00 1202aabb"),
  );
  assert.deepEqual(
    encodeResponse(status(StatusCode.NOT_FOUND, "no"), 3),
    hex("00000008 00000003 02 00 0a06 0805 12026e6f"),
  );
});

test("a failure without a text gets the name of its code", () => {
  assert.equal(decodeResponse(dataOf(encodeResponse(status(14), 1))).status.message, "UNAVAILABLE");
  assert.equal(decodeResponse(dataOf(encodeResponse(status(99), 1))).status.message, "status 99");
  assert.equal(statusName(0), "OK");
  assert.equal(statusName(16), "UNAUTHENTICATED");
});

test("a text that is too long is cut between two characters, also when it is read", () => {
  const long = `a${"€".repeat(5000)}`;
  const { message } = decodeResponse(dataOf(encodeResponse(status(2, long), 1))).status;
  assert.equal(message, `a${"€".repeat(2730)}`);
  const raw = new FieldWriter().message(1, new FieldWriter().number(1, 2).text(2, long).finish()).finish();
  assert.equal(decodeResponse(raw).status.message, message);
});

test("numbers of 64 bits are exact to 2^53 and have their sign", () => {
  const read = (digits: string) => {
    const reader = new FieldReader(hex(`08 ${digits}`));
    reader.next();
    return reader.int64();
  };
  for (const [digits, number] of [
    ["00", 0],
    ["7f", 127],
    ["8001", 128],
    ["ffffffff0f", 2 ** 32 - 1],
    ["8080808010", 2 ** 32],
    ["ffffffffffffff0f", 2 ** 53 - 1],
    ["ffffffffffffffff7f", 2 ** 63],
    ["ffffffffffffffffff01", -1],
    ["80808080808080808001", -(2 ** 63)],
  ] as const) {
    assert.equal(read(digits), number);
  }
  for (const number of [1, 127, 128, 2 ** 31, 2 ** 32, 3600e9, 2 ** 53 - 1]) {
    const written = new FieldWriter().number(1, number).finish();
    assert.equal(read(Buffer.from(written.subarray(1)).toString("hex")), number);
  }
});

/** Requests that no one can read. */
const malformed: [name: string, digits: string][] = [
  ["half a field", "0a05 61"],
  ["a field without a value", "0a"],
  ["a number without an end", "20 ffffffffffffffffffff01"],
  ["field 0", "0001"],
  ["a group", "0b"],
  ["a service that is a number", "0801"],
  ["a timeout that is bytes", "2200"],
  ["a length above 2^32", "0a ffffffffffffffff7f"],
  ["a name that is not UTF-8", "0a01 ff"],
  ["a name that is too long", `0a8002 ${"61".repeat(256)}`],
  ["metadata that cannot be read", "2a02 0a05"],
  ["too many metadata", "2a00".repeat(129)],
];

for (const [name, digits] of malformed) {
  test(`${name} is no request`, () =>
    assert.throws(() => decodeRequest(hex(digits)), { name: "FieldError" }));
}

test("fields that are not known are skipped, and the last of the same field counts", () => {
  const request = decodeRequest(hex("5001 590102030405060708 62026161 6d01020304 0a0161 0a0162"));
  assert.deepEqual(request, {
    service: "b",
    method: "",
    payload: new Uint8Array(0),
    timeoutNano: 0,
    metadata: [],
  });
});

const arbitraryRequest = fc.record(
  {
    service: fc.string({ maxLength: 60, unit: "grapheme" }),
    method: fc.string({ maxLength: 60 }),
    payload: fc.uint8Array({ maxLength: 700 }),
    timeoutNano: fc.maxSafeNat(),
    metadata: fc.array(fc.record({ key: fc.string(), value: fc.string() }, { noNullPrototype: true }), {
      maxLength: 5,
    }),
  },
  { noNullPrototype: true },
);

test("any requests, cut anywhere, come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(arbitraryRequest, { maxLength: 5 }), fc.array(fc.nat(3000)), (requests, offsets) => {
      const names = requests.flatMap(({ service, method }) => [service, method]);
      fc.pre(names.every((name) => encode(name).length <= 255 && name.isWellFormed()));
      const stream = concat(requests.map((request, at) => encodeRequest(request, 2 * at + 1)));
      const decoder = new TtrpcDecoder();
      const frames = cut(stream, offsets).flatMap((piece) => decoder.push(piece));
      assert.deepEqual(
        frames.map(({ data }) => decodeRequest(data ?? new Uint8Array(0))),
        requests,
      );
      assert.deepEqual(
        frames.map(({ streamId }) => streamId),
        requests.map((_, at) => 2 * at + 1),
      );
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
});

test("a decoder holds what came, not what a length claims, and gives memory of its own", () => {
  const decoder = new TtrpcDecoder();
  const chunk = hex("00400000 00000001 01 00 61");
  assert.deepEqual(decoder.push(chunk), []);
  assert.equal(decoder.pendingBytes, 1);
  const short = hex("00000002 00000001 01 00 6162");
  const [frame] = new TtrpcDecoder().push(short);
  short.fill(0);
  assert.deepEqual(frame?.data, hex("6162"));
});

test("a message that is too long is dropped, one that cannot be is the end", () => {
  const decoder = new TtrpcDecoder({ maxMessageBytes: 4 });
  const frames = decoder.push(hex("00000005 00000001 01 00 6162636465 00000001 00000003 01 00 61"));
  assert.deepEqual(
    frames.map(({ streamId, data }) => [streamId, data]),
    [
      [1, undefined],
      [3, hex("61")],
    ],
  );
  assert.throws(
    () => decoder.push(hex("00000000 00000005 01 00 01000000 00000007 01 00 61")),
    (error: { code?: string; frames?: unknown[] }) =>
      error.code === "ERR_TTRPC_LENGTH" && error.frames?.length === 2,
  );
  assert.throws(() => decoder.push(hex("00")), { code: "ERR_TTRPC_LENGTH" });
});
