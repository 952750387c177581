import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, hex } from "../test-support/bytes.ts";
import { TtrpcClient } from "./client.ts";
import { encodeRequest } from "./request.ts";
import { decodeResponse } from "./response.ts";
import type { TtrpcCall, TtrpcHandler } from "./server.ts";
import { TtrpcServer } from "./server.ts";
import { TtrpcError } from "./status.ts";

const NOTHING = new Uint8Array(0);

/** A server whose answers are kept. */
function makeServer(methods: Record<string, TtrpcHandler>, maxCalls = 8) {
  const sent: Uint8Array[] = [];
  const services = new Map([["test.Echo", new Map(Object.entries(methods))]]);
  const server = new TtrpcServer({ services, send: (message) => sent.push(message), maxCalls });
  return {
    server,
    /** The answers since the last call: number, code, text. */
    take: () =>
      sent.splice(0, sent.length).map((message) => {
        const { status } = decodeResponse(message.subarray(10));
        return [message[7], status.code, status.message];
      }),
  };
}

/** A client and a server, joined. */
function join(methods: Record<string, TtrpcHandler>, maxCalls?: number) {
  const services = new Map([["test.Echo", new Map(Object.entries(methods))]]);
  const server = new TtrpcServer({
    services,
    send: (message) => client.feed(message),
    ...(maxCalls === undefined ? {} : { maxCalls }),
  });
  const client: TtrpcClient = new TtrpcClient({ send: (message) => server.feed(message) });
  return { client, server };
}

function request(
  method: string,
  streamId: number,
  options: { timeoutNano?: number; payload?: Uint8Array } = {},
) {
  const { timeoutNano = 0, payload = NOTHING } = options;
  return encodeRequest({ service: "test.Echo", method, payload, timeoutNano, metadata: [] }, streamId);
}

test("a call brings the payload, the timeout and the metadata, and its answer back", async () => {
  const calls: TtrpcCall[] = [];
  const { client, server } = join({
    Echo: (call) => {
      calls.push(call);
      return call.payload;
    },
    Later: async ({ payload }) => payload,
  });
  const metadata = [{ key: "k", value: "v" }];
  const answer = await client.call("test.Echo", "Echo", encode("abc"), { timeoutNano: 5e9, metadata });
  assert.deepEqual(answer, encode("abc"));
  assert.equal(calls[0]?.timeoutNano, 5e9);
  assert.deepEqual(calls[0].metadata, metadata);
  assert.deepEqual(await client.call("test.Echo", "Later", encode("abc")), encode("abc"));
  assert.equal(client.callCount + server.callCount, 0);
});

test("calls run side by side and are answered in any order", async () => {
  const answers: ((text: string) => void)[] = [];
  const { client } = join({
    Wait: () => new Promise((resolve) => answers.push((text) => resolve(encode(text)))),
  });
  const calls = ["a", "b", "c"].map(() => client.call("test.Echo", "Wait", NOTHING));
  for (const [at, text] of ["a", "b", "c"].entries()) answers[2 - at]?.(text);
  assert.deepEqual(await Promise.all(calls), [encode("c"), encode("b"), encode("a")]);
});

test("every failure has a status and a text", async () => {
  const { client } = join({
    Chosen: () => {
      throw new TtrpcError(5, "no such container");
    },
    Silent: async () => {
      throw new TtrpcError(5, "");
    },
    Fine: () => {
      throw new TtrpcError(0, "fine");
    },
    Bug: async () => {
      throw new TypeError("x is undefined");
    },
    Empty: async () => {
      throw new Error("");
    },
    Huge: () => new Uint8Array(4 * 1024 * 1024),
  });
  const failures: [method: string, code: number, message: RegExp][] = [
    ["Chosen", 5, /^no such container$/],
    ["Silent", 5, /^NOT_FOUND$/],
    ["Fine", 2, /^fine$/],
    ["Bug", 2, /^x is undefined$/],
    ["Empty", 2, /^an error without a text$/],
    ["Huge", 8, /^the answer has 4194311 bytes, more than 4194304$/],
    ["Nope", 12, /^service test.Echo has no method "Nope"$/],
    ["toString", 12, /no method/],
  ];
  for (const [method, code, message] of failures) {
    await assert.rejects(client.call("test.Echo", method, NOTHING), { name: "TtrpcError", code, message });
  }
  const unknown = { code: 12, message: 'there is no service "no.Service"' };
  await assert.rejects(client.call("no.Service", "Echo", NOTHING), unknown);
  const long = { code: 8, message: /^a request of Echo has \d+ bytes/ };
  await assert.rejects(client.call("test.Echo", "Echo", new Uint8Array(4 * 1024 * 1024)), long);
});

test("the longest message passes", async () => {
  const { client } = join({ Size: ({ payload }) => encode(String(payload.length)) });
  const size = 4 * 1024 * 1024 - 22;
  assert.deepEqual(await client.call("test.Echo", "Size", new Uint8Array(size)), encode(String(size)));
});

test("requests that break the rules are answered on their own stream", () => {
  const { server, take } = makeServer({ Echo: ({ payload }) => payload });
  server.feed(request("Echo", 2));
  server.feed(request("Echo", 5));
  server.feed(request("Echo", 5));
  server.feed(request("Echo", 3));
  server.feed(hex("00000001 00000007 01 00 0a"));
  server.feed(hex("00000001 00000009 03 01 00"));
  server.feed(hex("00000000 0000000b 01 02"));
  server.feed(request("Echo", 13, { timeoutNano: 0 }));
  assert.deepEqual(take(), [
    [2, 3, "a client's stream is odd, not 2"],
    [5, 0, ""],
    [5, 3, "stream 5 comes after 5"],
    [3, 3, "stream 3 comes after 5"],
    [7, 3, "the request cannot be read: a number does not end"],
    [9, 3, "a unary call takes no data"],
    [11, 12, "requests are not taken as streams"],
    [13, 0, ""],
  ]);
  // Messages of types that may come one day, and answers, are none of a server's.
  server.feed(hex("00000000 0000000f 04 00 00000000 0000000f 02 00"));
  assert.deepEqual(take(), []);
});

test("a time that is over already is answered so", () => {
  const { server, take } = makeServer({ Echo: ({ payload }) => payload });
  const late = "0a09 746573742e4563686f 1204 4563686f 20 ffffffffffffffffff01";
  server.feed(hex(`0000001c 00000001 01 00 ${late}`));
  assert.deepEqual(take(), [[1, 4, "the caller's time is over already"]]);
});

test("a request that is too long is answered, and those behind it are served", () => {
  const { server, take } = makeServer({ Echo: ({ payload }) => payload });
  server.feed(hex("00400001 00000001 01 00"));
  assert.deepEqual(take(), [[1, 8, "the request has 4194305 bytes, more than 4194304"]]);
  server.feed(new Uint8Array(4194305));
  server.feed(request("Echo", 3));
  assert.deepEqual(take(), [[3, 0, ""]]);
  assert.throws(() => server.feed(hex("ff000000 00000005 01 00")), { name: "TtrpcProtocolError" });
  assert.deepEqual(take(), [[5, 8, "the request has 4278190080 bytes, more than 4194304"]]);
});

test("more calls than may be open are refused until one is answered", async () => {
  let finish = () => {};
  const { client } = join(
    {
      Wait: () =>
        new Promise((resolve) => {
          finish = () => resolve(NOTHING);
        }),
      Echo: ({ payload }) => payload,
    },
    1,
  );
  const first = client.call("test.Echo", "Wait", NOTHING);
  await assert.rejects(client.call("test.Echo", "Echo", NOTHING), { code: 8, message: "1 calls are open" });
  finish();
  await first;
  await client.call("test.Echo", "Echo", NOTHING);
});

test("a call that its client breaks has one answer, and its handler is told", async () => {
  const told: number[] = [];
  let finish = (_payload: Uint8Array) => {};
  const { server, take } = makeServer({
    Wait: ({ onAbandoned }) => {
      onAbandoned(() => told.push(1));
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
  });
  server.feed(request("Wait", 1));
  server.feed(hex("00000001 00000001 03 00 61"));
  assert.deepEqual(told, [1]);
  finish(NOTHING);
  await new Promise(setImmediate);
  assert.deepEqual(take(), [[1, 3, "a unary call takes no data"]]);
});

test("the end of the connection abandons the server's calls and fails the client's", async () => {
  const told: string[] = [];
  const { client, server } = join({
    Wait: ({ onAbandoned }) => {
      onAbandoned(() => {
        told.push("at the end");
        onAbandoned(() => told.push("at once"));
      });
      return new Promise(() => {});
    },
  });
  const call = client.call("test.Echo", "Wait", NOTHING);
  server.end();
  client.end("the VM is gone");
  await assert.rejects(call, { code: 14, message: "the VM is gone" });
  await assert.rejects(client.call("test.Echo", "Wait", NOTHING), { code: 14, message: "the VM is gone" });
  assert.deepEqual(told, ["at the end", "at once"]);
  server.feed(request("Wait", 9));
  assert.equal(server.callCount, 0);
});

test("a cancelled call ends at once; its answer is dropped", () => {
  const client = new TtrpcClient({ send: () => {} });
  const codes: number[] = [];
  const id = client.start("s", "m", NOTHING, ({ status }) => codes.push(status.code));
  client.cancel(id);
  client.cancel(id);
  client.feed(hex("00000002 00000001 02 00 0a00"));
  assert.deepEqual(codes, [1]);
});

test("answers that break the rules end their call alone", async () => {
  const ids: number[] = [];
  const client = new TtrpcClient({ send: (message) => ids.push(message[7] ?? 0), maxCalls: 3 });
  const call = () => client.call("s", "m", NOTHING);
  const [first, second, third] = [call(), call(), call()];
  await assert.rejects(call(), { code: 8, message: "3 calls wait for an answer" });
  assert.deepEqual(ids, [1, 3, 5]);
  client.feed(hex("00000001 00000001 02 00 0a 00000000 00000003 03 01 00400001 00000005 02 00"));
  await assert.rejects(first, { code: 13, message: /^the answer cannot be read/ });
  await assert.rejects(second, { code: 13, message: "the server answers with a stream" });
  await assert.rejects(third, { code: 8, message: /^the answer has 4194305 bytes/ });
});

test("a server that speaks something else fails all calls", async () => {
  const client = new TtrpcClient({ send: () => {} });
  const call = client.call("s", "m", NOTHING);
  assert.throws(() => client.feed(encode("HTTP/1.1 400")), { name: "TtrpcProtocolError" });
  await assert.rejects(call, { code: 14, message: /^the server does not speak ttrpc/ });
});

test("a timeout is whole and not below 0", async () => {
  const client = new TtrpcClient({ send: () => {} });
  for (const timeoutNano of [-1, 0.5, 2 ** 53, Number.NaN]) {
    await assert.rejects(client.call("s", "m", NOTHING, { timeoutNano }), RangeError);
  }
  assert.equal(client.callCount, 0);
});
