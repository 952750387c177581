import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { QmpClient } from "./qmp-client.ts";

const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\r\n';
const options = { timeoutMs: 60_000 };

/** A QEMU that answers as `answer` says; without an answer it is silent. */
async function serve(
  t: TestContext,
  answer: (command: string, id: number, socket: Socket) => string | undefined,
  greeting = GREETING,
): Promise<string> {
  const path = join(makeTempRoot(t).base, "qmp");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write(greeting);
    socket.on("data", (chunk) => {
      for (const line of chunk.toString().trim().split("\n")) {
        const { execute, id } = JSON.parse(line);
        const text =
          execute === "qmp_capabilities" ? `{"return": {}, "id": ${id}}\r\n` : answer(execute, id, socket);
        if (text) socket.write(text);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return path;
}

test("answers find their commands, whatever comes between", async (t) => {
  const path = await serve(
    t,
    (_, id) => `{"event": "STOP"}\r\n{"return": {"status": "running", "running": true}, "id": ${id}}\r\n`,
  );
  const client = await QmpClient.connect(path, options);
  assert.deepEqual(await client.execute({ execute: "query-status" }, options), {
    status: "running",
    running: true,
  });
  client.close();
  await assert.rejects(client.execute({ execute: "stop" }, options), { code: "ERR_QMP" });
});

test("a refusal carries QEMU's own words", async (t) => {
  const path = await serve(
    t,
    (_, id) => `{"error": {"class": "GenericError", "desc": "no such bus"}, "id": ${id}}\r\n`,
  );
  const client = await QmpClient.connect(path, options);
  await assert.rejects(client.execute({ execute: "cont" }, options), {
    code: "ERR_QMP",
    message: /no such bus/,
  });
  client.close();
});

test("a QEMU that goes away or talks nonsense fails what waits for it", async (t) => {
  for (const answer of [
    (socket: Socket) => socket.destroy(),
    (socket: Socket) => socket.write("nonsense\r\n"),
  ]) {
    const path = await serve(t, (_, __, socket) => {
      answer(socket);
      return undefined;
    });
    const client = await QmpClient.connect(path, options);
    await assert.rejects(client.execute({ execute: "stop" }, options), { code: "ERR_QMP" });
    client.close();
  }
});

test("silence ends with the deadline, and an abort at once", async (t) => {
  const path = await serve(t, () => undefined);
  const client = await QmpClient.connect(path, options);
  await assert.rejects(client.execute({ execute: "stop" }, { timeoutMs: 5 }), { code: "ERR_TIMEOUT" });
  const signal = AbortSignal.abort();
  await assert.rejects(client.execute({ execute: "stop" }, { ...options, signal }), { code: "ERR_ABORTED" });
  client.close();
  const silent = await serve(t, () => undefined, "");
  await assert.rejects(QmpClient.connect(silent, { timeoutMs: 5 }), { code: "ERR_TIMEOUT" });
  await assert.rejects(QmpClient.connect(`${silent}.none`, options), { code: "ERR_QMP" });
});
