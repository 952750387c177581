import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { makeBareModule, untilAborted } from "../testing/bare-module.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import type { ContainerModule } from "../types.ts";
import { connectContainerModule } from "./connect-module.ts";
import { MAX_REQUEST_BYTES } from "./messages.ts";
import { serveContainerModule } from "./serve-module.ts";

/** A service, a connection that says what it likes, and what comes of it. */
async function makeHostile(
  t: TestContext,
  methods: Partial<ContainerModule> = {},
  limits: { maxConnections?: number } = {},
) {
  const socket = join(makeTempDirectory(t), "module.sock");
  const service = await serveContainerModule(makeBareModule(methods), { socket, ...limits });
  const connection = connect(socket);
  connection.on("error", () => {});
  t.after(() => {
    connection.destroy();
    return service.close();
  });
  return { socket, connection, lines: createInterface({ input: connection })[Symbol.asyncIterator]() };
}

/** The next message of the service. */
async function next(lines: AsyncIterator<string>) {
  const { value, done } = await lines.next();
  assert.ok(!done, "the service has closed the connection");
  return JSON.parse(value);
}

/** The service has nothing more to say, and others are served. */
async function assertSentAway(socket: string, lines: AsyncIterator<string>): Promise<void> {
  assert.equal((await lines.next()).done, true);
  assert.equal((await (await connectContainerModule(socket)).list()).length, 2);
}

const MALFORMED: readonly (readonly [what: string, bytes: string | Buffer, why: RegExp])[] = [
  ["words", "GET / HTTP/1.1\r\n\r\n", /a line is no JSON: "GET/],
  ["a list", "[1]\n", /a message is no object/],
  ["no id", '{"method":"list"}\n', /id is no whole number/],
  ["a negative id", '{"id":-1,"method":"list"}\n', /id is no whole number/],
  ["nothing to do", '{"id":1}\n', /neither method, cancel, input nor resize/],
  ["a size of no terminal", '{"id":1,"resize":{"rows":-1,"columns":1}}\n', /resize\.rows: must be/],
  ["input that is no base64", '{"id":1,"input":"*"}\n', /data is no base64/],
  ["bytes that are no text", Buffer.from([0xc3, 0x28, 10]), /a line is not UTF-8/],
  ["a line without an end", Buffer.alloc(MAX_REQUEST_BYTES + 1, "x"), /a line has more than/],
];
for (const [what, bytes, why] of MALFORMED) {
  test(`${what}: that client is told why and sent away, and others are served`, async (t) => {
    const { socket, connection, lines } = await makeHostile(t);
    connection.write(bytes);
    const { id, error } = await next(lines);
    assert.deepEqual([id, error.code], [undefined, "ERR_MODULE_PROTOCOL"]);
    assert.match(error.message, why);
    await assertSentAway(socket, lines);
  });
}

test("a wrong call is answered so, and the connection goes on", async (t) => {
  const { connection, lines } = await makeHostile(t);
  const wrong: [unknown, string, RegExp][] = [
    [{ method: "lst" }, "ERR_NOT_SUPPORTED", /there is no method "lst".*list/],
    [{ method: "constructor" }, "ERR_NOT_SUPPORTED", /there is no method/],
    [{ method: "inspect" }, "ERR_CONFIG_INVALID", /params\.ns: is missing/],
    [{ method: "inspect", params: [] }, "ERR_CONFIG_INVALID", /params: must be an object/],
    [{ method: "list", params: { namespace: "a" } }, "ERR_CONFIG_UNKNOWN_FIELD", /params\.namespace; .*ns/],
    [
      { method: "run", params: { ns: "a", name: "b", flist: "root.fl" } },
      "ERR_CONFIG_INVALID",
      /params\.flist: "root\.fl" is no absolute path/,
    ],
    [
      { method: "run", params: { ns: "a", name: "b", flist: "/r", entrypoint: 3 } },
      "ERR_CONFIG_INVALID",
      /params\.entrypoint: must be a string/,
    ],
    [
      { method: "run", params: { ns: "a", name: "b", flist: "/r", options: { cpus: "two" } } },
      "ERR_CONFIG_INVALID",
      /params\.options\.cpus: must be from 0\.01 to 4096/,
    ],
    [
      { method: "run", params: { ns: "a", name: "b", flist: "/r", options: { restart: { limit: 1 } } } },
      "ERR_CONFIG_INVALID",
      /params\.options\.restart\.delayMs: is missing/,
    ],
    [
      { method: "exec", params: { ns: "a", id: "b", args: "sh" } },
      "ERR_CONFIG_INVALID",
      /params\.args: must be an array/,
    ],
    [
      { method: "logs", params: { ns: "a", id: "b", options: { signal: {} } } },
      "ERR_CONFIG_UNKNOWN_FIELD",
      /params\.options\.signal/,
    ],
  ];
  for (const [index, [call, code, why]] of wrong.entries()) {
    connection.write(`${JSON.stringify({ id: index, ...(call as object) })}\n`);
    const { id, error } = await next(lines);
    assert.deepEqual([id, error.code], [index, code], error.message);
    assert.match(error.message, why);
  }
  connection.write('{"id":99,"cancel":true}\n{"id":99,"input":null}\n{"id":7,"method":"version"}\n');
  assert.deepEqual(await next(lines), { id: 7, result: { version: 1 } });
});

test("the same id twice ends the connection, and its calls", async (t) => {
  const aborted = Promise.withResolvers<void>();
  const { socket, connection, lines } = await makeHostile(t, {
    inspect: (_ns, _id, { signal } = {}) => untilAborted(signal).finally(() => aborted.resolve()),
  });
  const line = '{"id":1,"method":"inspect","params":{"ns":"a","id":"b"}}\n';
  connection.write(line + line);
  assert.match((await next(lines)).error.message, /call 1 is being answered already/);
  await aborted.promise;
  for (let rest = await lines.next(); !rest.done; rest = await lines.next());
  assert.equal((await (await connectContainerModule(socket)).list()).length, 2);
});

test("more calls than may be are refused, those that are answered are not hurt", async (t) => {
  const { connection, lines } = await makeHostile(t, {
    inspect: (_ns, _id, { signal } = {}) => untilAborted(signal),
  });
  for (let id = 0; id < 65; id++)
    connection.write(`${JSON.stringify({ id, method: "inspect", params: { ns: "a", id: "b" } })}\n`);
  const refused = await next(lines);
  assert.deepEqual([refused.id, refused.error.code], [64, "ERR_MODULE_BUSY"]);
  assert.match(refused.error.message, /64 calls of this connection/);
  connection.write('{"id":3,"cancel":true}\n');
  const cancelled = await next(lines);
  assert.deepEqual([cancelled.id, cancelled.error.code], [3, "ERR_ABORTED"]);
});

test("more connections than may be are refused, those that there are go on", async (t) => {
  const { socket, connection, lines } = await makeHostile(t, {}, { maxConnections: 2 });
  const other = connect(socket);
  const answers = createInterface({ input: other })[Symbol.asyncIterator]();
  for (const [one, said] of [[connection, lines] as const, [other, answers] as const]) {
    one.write('{"id":7,"method":"version"}\n');
    assert.deepEqual(await next(said), { id: 7, result: { version: 1 } });
  }
  const busy = { code: "ERR_MODULE_BUSY", message: /has 2 connections already/ };
  await assert.rejects(connectContainerModule(socket), busy);
  // One that says much before it listens is told all the same.
  const loud = connect(socket);
  loud.write(Buffer.alloc(500_000, "x"));
  const said = createInterface({ input: loud })[Symbol.asyncIterator]();
  assert.equal((await next(said)).error.code, "ERR_MODULE_BUSY");
  connection.write('{"id":8,"method":"version"}\n');
  assert.deepEqual(await next(lines), { id: 8, result: { version: 1 } });
  other.end();
  await once(other, "close");
  await connectContainerModule(socket);
  loud.destroy();
});

test("a client that goes away has its calls ended", async (t) => {
  const asked = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const { connection } = await makeHostile(t, {
    inspect: (_ns, _id, { signal } = {}) => {
      asked.resolve();
      return untilAborted(signal).finally(() => aborted.resolve());
    },
  });
  connection.write('{"id":1,"method":"inspect","params":{"ns":"a","id":"b"}}\n');
  await asked.promise;
  connection.destroy();
  await aborted.promise;
});

test("more input than a program takes ends the connection, within the window it does not", async (t) => {
  const { connection, lines } = await makeHostile(t);
  const params = { ns: "a", id: "b", args: ["sleep", "1000"] };
  connection.write(`${JSON.stringify({ id: 1, method: "exec", params })}\n`);
  assert.deepEqual(await next(lines), { id: 1, started: true });
  const piece = `${JSON.stringify({ id: 1, input: Buffer.alloc(60_000).toString("base64") })}\n`;
  for (let count = 0; count < 20; count++) connection.write(piece);
  const messages: { error?: { message: string } }[] = [];
  while (!messages.at(-1)?.error) messages.push(await next(lines));
  assert.match(messages.at(-1)?.error?.message ?? "", /bytes of input that were not taken/);
});

test("one who asks and does not read costs no more than what there is to say", async (t) => {
  const { connection } = await makeHostile(t, {
    async *logs() {
      for (;;) yield Buffer.alloc(64 * 1024);
    },
  });
  connection.pause();
  for (let id = 0; id < 64; id++)
    connection.write(`${JSON.stringify({ id, method: "logs", params: { ns: "a", id: "b" } })}\n`);
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  await new Promise((resolve) => setTimeout(resolve, 500));
  const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before;
  assert.ok(grown < 64e6, `${grown} bytes`);
  await closeOf(connection);
});

async function closeOf(connection: Socket): Promise<void> {
  connection.destroy();
  if (!connection.closed) await once(connection, "close");
}
