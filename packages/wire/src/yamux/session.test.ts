import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "../test-support/bytes.ts";
import { describe, makeSide, streamOf } from "./test-support/wire.ts";

const SYN_1 = "00 01 0001 00000001 00000000";
const WINDOW = 256 * 1024;

test("a client's stream has its golden bytes: opened, written, ended, reset", () => {
  const { session, takeHex } = makeSide("client");
  const stream = session.openStream();
  assert.equal(takeHex(), "000100010000000100000000");
  assert.equal(stream.write(hex("68656c6c6f")), 5);
  assert.equal(takeHex(), "00000000000000010000000568656c6c6f");
  stream.close();
  assert.equal(takeHex(), "000100040000000100000000");
  session.openStream().reset();
  assert.equal(takeHex(), "000100010000000300000000 000100080000000300000000");
});

test("a server's own streams are even", () => {
  const { session, takeHex } = makeSide("server");
  assert.equal(session.openStream().id, 2);
  assert.equal(session.openStream().id, 4);
  assert.equal(takeHex(), "000100010000000200000000 000100010000000400000000");
});

test("a stream of the peer is accepted, by a word of its own or with the first data", () => {
  const { session, takeHex } = makeSide("server");
  const events = session.feed(hex(`${SYN_1} 00 01 0001 00000003 00000000 00 00 0000 00000003 00000002 6869`));
  assert.deepEqual(describe(events), ["stream 1", "stream 3", "data 3 2"]);
  streamOf(events).accept();
  streamOf(events).accept();
  assert.equal(takeHex(), "000100020000000100000000");
  streamOf(events.slice(1)).write(hex("6f6b"));
  assert.equal(takeHex(), "0000000200000003000000026f6b");
});

test("a stream may begin, carry data and end in one frame", () => {
  const { session } = makeSide("server");
  const events = session.feed(hex("00 00 0005 00000001 00000002 6869"));
  assert.deepEqual(describe(events), ["stream 1", "data 1 2", "end 1"]);
});

test("a ping is answered with its number, and ours brings a pong once", () => {
  const { session, takeHex } = makeSide("client");
  assert.deepEqual(session.feed(hex("00 02 0001 00000000 deadbeef")), []);
  assert.equal(takeHex(), "0002000200000000deadbeef");
  assert.equal(session.ping(), 0);
  assert.equal(session.ping(), 1);
  assert.equal(takeHex(), "000200010000000000000000 000200010000000000000001");
  const pong = hex("00 02 0002 00000000 00000001");
  assert.deepEqual(describe(session.feed(pong)), ["pong 1"]);
  assert.deepEqual(session.feed(pong), []);
});

test("of many pings without an answer only the latest are remembered", () => {
  const { session } = makeSide("client");
  for (let count = 0; count < 40; count++) session.ping();
  assert.deepEqual(session.feed(hex("00 02 0002 00000000 00000000")), []);
  assert.deepEqual(describe(session.feed(hex("00 02 0002 00000000 00000027"))), ["pong 39"]);
});

test("go away: ours refuses what the peer opens, theirs what we open; open streams go on", () => {
  const { session, takeHex } = makeSide("client");
  const stream = session.openStream();
  session.goAway();
  session.goAway();
  assert.deepEqual(session.feed(hex("00 01 0001 00000002 00000000")), []);
  assert.equal(takeHex(), "000100010000000100000000 000300000000000000000000 000100080000000200000000");
  assert.equal(stream.write(hex("aa")), 1);
  assert.throws(() => session.openStream(), { code: "ERR_YAMUX_REFUSED" });

  const other = makeSide("client");
  assert.deepEqual(describe(other.session.feed(hex("00 03 0000 00000000 00000000"))), ["goAway"]);
  assert.throws(() => other.session.openStream(), { code: "ERR_YAMUX_REFUSED" });
});

test("a go away with an error ends the session and its streams", () => {
  for (const reason of ["00000001", "00000002", "00000009"]) {
    const { session } = makeSide("client");
    session.openStream();
    const events = session.feed(hex(`00 03 0000 00000000 ${reason}`));
    assert.deepEqual(describe(events), ["reset 1", "failed ERR_YAMUX_GO_AWAY"]);
    assert.throws(() => session.openStream(), { code: "ERR_YAMUX_ENDED" });
    assert.throws(() => session.ping(), { code: "ERR_YAMUX_ENDED" });
  }
});

/** What no peer may send: the session says so, and takes nothing more. */
const wrong: [name: string, digits: string, code: string][] = [
  ["another version", "01 01 0001 00000001 00000000", "ERR_YAMUX_PROTOCOL"],
  ["an unknown type", "00 04 0000 00000000 00000000", "ERR_YAMUX_PROTOCOL"],
  ["a stream without a number", "00 01 0001 00000000 00000000", "ERR_YAMUX_PROTOCOL"],
  ["a stream with a number of ours", "00 01 0001 00000002 00000000", "ERR_YAMUX_PROTOCOL"],
  ["a stream begun twice", SYN_1 + SYN_1, "ERR_YAMUX_PROTOCOL"],
  [
    "a stream ended twice",
    `${SYN_1} 000100040000000100000000 000100040000000100000000`,
    "ERR_YAMUX_PROTOCOL",
  ],
  [
    "data after the end",
    `${SYN_1} 000100040000000100000000 00000000000000010000000161`,
    "ERR_YAMUX_PROTOCOL",
  ],
  ["more data than the window", `${SYN_1} 00 00 0000 00000001 00040001`, "ERR_YAMUX_WINDOW"],
  ["a window above 2^32 - 1", `${SYN_1} 00 01 0000 00000001 ffffffff`, "ERR_YAMUX_WINDOW"],
];

for (const [name, digits, code] of wrong) {
  test(`${name} ends the session`, () => {
    const { session, takeHex } = makeSide("server");
    const events = session.feed(hex(digits));
    assert.deepEqual(describe(events).at(-1), `failed ${code}`);
    assert.equal(takeHex().slice(-24), "000300000000000000000001");
    assert.equal(session.over, true);
    assert.equal(session.streamCount, 0);
    assert.deepEqual(session.feed(hex(SYN_1)), []);
    assert.equal(takeHex(), "");
  });
}

test("frames of a stream that is not known are dropped, whatever they carry", () => {
  const { session, takeHex } = makeSide("server");
  const digits =
    "00 00 0000 00000007 00000003 616263 00 01 000c 00000009 00000000 00 01 0000 00000001 ffffffff";
  assert.deepEqual(session.feed(hex(digits)), []);
  assert.equal(takeHex(), "");
});

test("what is on its way to a stream that was reset here is dropped", () => {
  const { session } = makeSide("server");
  const [first] = [hex(`${SYN_1} 00 00 0000 00000001 00000004 6162`)];
  const events = session.feed(first);
  assert.deepEqual(describe(events), ["stream 1", "data 1 2"]);
  streamOf(events).reset();
  assert.deepEqual(describe(session.feed(hex("6364 00 01 0001 00000003 00000000"))), ["stream 3"]);
  assert.equal(streamOf(events).write(hex("aa")), 0);
});

test("half-closed streams go on the other way, both ways", () => {
  const { session, take } = makeSide("server");
  const [stream] = [streamOf(session.feed(hex(SYN_1)))];
  assert.deepEqual(describe(session.feed(hex("00 01 0004 00000001 00000000"))), ["end 1"]);
  assert.equal(stream.write(hex("aabb")), 2);
  stream.close();
  assert.equal(session.streamCount, 0);
  assert.throws(() => stream.write(hex("aa")), { code: "ERR_YAMUX_ENDED" });

  const other = makeSide("client");
  const ours = other.session.openStream();
  ours.close();
  const answer = other.session.feed(hex("00 00 0002 00000001 00000001 61 00 01 0004 00000001 00000000"));
  assert.deepEqual(describe(answer), ["accepted 1", "data 1 1", "end 1"]);
  ours.consume(1);
  assert.equal(other.session.streamCount, 0);
  take();
});

test("the window is given back by half, counted from what is used", () => {
  const { session, takeHex } = makeSide("server");
  const stream = streamOf(session.feed(hex(SYN_1)));
  stream.accept();
  takeHex();
  session.feed(hex("00 00 0000 00000001 00040000"));
  const events = session.feed(new Uint8Array(WINDOW));
  assert.deepEqual(describe(events), [`data 1 ${WINDOW}`]);
  stream.consume(WINDOW / 2 - 1);
  assert.equal(takeHex(), "");
  stream.consume(1);
  assert.equal(takeHex(), "000100000000000100020000");
  assert.throws(() => stream.consume(WINDOW / 2 + 1), RangeError);
  stream.consume(WINDOW / 2);
  assert.equal(takeHex(), "000100000000000100020000");
});

test("a larger window is told when a stream is opened or accepted", () => {
  const client = makeSide("client", { windowBytes: 2 * WINDOW });
  client.session.openStream();
  assert.equal(client.takeHex(), "000100010000000100040000");
  const server = makeSide("server", { windowBytes: 2 * WINDOW });
  streamOf(server.session.feed(hex(SYN_1))).accept();
  assert.equal(server.takeHex(), "000100020000000100040000");
  assert.throws(() => makeSide("server", { windowBytes: WINDOW - 1 }), RangeError);
});

test("a write takes no more than the window, and goes on when there is more", () => {
  const { session, take } = makeSide("client");
  const stream = session.openStream();
  assert.equal(stream.write(new Uint8Array(WINDOW + 10)), WINDOW);
  const sizes = take().map((frame) => frame.length);
  assert.ok(sizes.every((size) => size <= 32768));
  assert.equal(stream.room, 0);
  assert.equal(stream.write(new Uint8Array(10)), 0);
  const more = session.feed(hex("00 01 0002 00000001 00000004"));
  assert.deepEqual(describe(more), ["accepted 1", "writable 1"]);
  assert.equal(stream.write(new Uint8Array(10)), 4);
});

test("more streams than may wait to be accepted are refused, by both sides", () => {
  const server = makeSide("server", { acceptBacklog: 2 });
  const events = server.session.feed(hex(`${SYN_1} 000100010000000300000000 000100010000000500000000`));
  assert.deepEqual(describe(events), ["stream 1", "stream 3"]);
  assert.equal(server.takeHex(), "000100080000000500000000");
  streamOf(events).accept();
  assert.deepEqual(describe(server.session.feed(hex("000100010000000700000000"))), ["stream 7"]);

  const client = makeSide("client", { acceptBacklog: 1 });
  client.session.openStream();
  assert.throws(() => client.session.openStream(), { code: "ERR_YAMUX_REFUSED" });
  client.session.feed(hex("00 01 0002 00000001 00000000"));
  assert.equal(client.session.openStream().id, 3);
});

test("more streams than may live are refused, by both sides", () => {
  const server = makeSide("server", { maxStreams: 1 });
  streamOf(server.session.feed(hex(SYN_1))).accept();
  assert.deepEqual(server.session.feed(hex("000100010000000300000000")), []);
  assert.throws(() => server.session.openStream(), { code: "ERR_YAMUX_REFUSED" });
});

test("a refused stream is a reset", () => {
  const { session } = makeSide("client");
  const stream = session.openStream();
  assert.deepEqual(describe(session.feed(hex("00 01 0008 00000001 00000000"))), ["reset 1"]);
  assert.equal(stream.write(hex("aa")), 0);
  assert.equal(session.streamCount, 0);
});

test("the end of the connection resets all streams, and sends nothing", () => {
  const { session, takeHex } = makeSide("client");
  const stream = session.openStream();
  session.openStream();
  takeHex();
  assert.deepEqual(describe(session.end()), ["reset 1", "reset 3"]);
  assert.deepEqual(session.end(), []);
  stream.close();
  stream.reset();
  stream.consume(0);
  session.goAway();
  assert.equal(takeHex(), "");
});
