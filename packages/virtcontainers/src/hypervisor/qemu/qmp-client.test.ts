import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import { QmpClient } from "./qmp-client.ts";

const options = { timeoutMs: 60_000 };

test("answers find their commands, whatever comes between", async (t) => {
  const path = await serveQmp(
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

test("more clients than can queue are all served", async (t) => {
  const path = await serveQmp(t, () => undefined);
  const clients = await Promise.all(Array.from({ length: 8 }, () => QmpClient.connect(path, options)));
  for (const client of clients) client.close();
});

test("a refusal carries QEMU's own words", async (t) => {
  const path = await serveQmp(
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
    const path = await serveQmp(t, (_, __, socket) => {
      answer(socket);
      return undefined;
    });
    const client = await QmpClient.connect(path, options);
    await assert.rejects(client.execute({ execute: "stop" }, options), { code: "ERR_QMP" });
    client.close();
  }
});

test("silence ends with the deadline, and an abort at once", async (t) => {
  const path = await serveQmp(t, () => undefined);
  const client = await QmpClient.connect(path, options);
  await assert.rejects(client.execute({ execute: "stop" }, { timeoutMs: 5 }), { code: "ERR_TIMEOUT" });
  const signal = AbortSignal.abort();
  await assert.rejects(client.execute({ execute: "stop" }, { ...options, signal }), { code: "ERR_ABORTED" });
  client.close();
  const silent = await serveQmp(t, () => undefined, "");
  await assert.rejects(QmpClient.connect(silent, { timeoutMs: 5 }), { code: "ERR_TIMEOUT" });
  await assert.rejects(QmpClient.connect(`${silent}.none`, options), { code: "ERR_QMP" });
});
