import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { startServer } from "../../testing/block-server.ts";
import { startFakeZdb } from "../../testing/fake-zdb.ts";
import { makeTempDirectory } from "../../testing/temp-directory.ts";
import { MAX_SEALED_BYTES, sealBlock } from "../blocks/block-codec.ts";
import { hexId } from "./block-store.ts";
import { DirStore } from "./dir-store.ts";
import { HttpStore } from "./http-store.ts";
import { parseStoreAddress } from "./store-address.ts";
import { ZdbStore } from "./zdb-store.ts";

const { id, sealed } = await sealBlock(Buffer.from("some bytes"));
const hex = hexId(id);
const QUICK = { attempts: 3, firstDelayMs: 1 };

function httpStore(url: string, mayFollow: (url: URL) => boolean = () => false): HttpStore {
  return new HttpStore(parseStoreAddress(url), { mayFollow, retry: QUICK, timeoutMs: 30_000 });
}

test("a directory keeps a block under its id, and finds those of before", async (t) => {
  const directory = makeTempDirectory(t);
  const store = new DirStore(directory, "dir:///x");
  assert.equal(await store.get(id), undefined);
  await store.put(id, sealed);
  assert.deepEqual(readdirSync(join(directory, hex.slice(0, 2))), [hex]);
  assert.deepEqual(Buffer.from((await store.get(id)) ?? []), sealed);
  const written = statSync(join(directory, hex.slice(0, 2), hex)).ino;
  await store.put(id, sealed);
  assert.equal(statSync(join(directory, hex.slice(0, 2), hex)).ino, written);
  const other = await sealBlock(Buffer.from("other"));
  writeFileSync(join(directory, hexId(other.id)), other.sealed);
  assert.deepEqual(Buffer.from((await store.get(other.id)) ?? []), other.sealed);
});

test("what stands in a block's place is not waited for, nor read without end", async (t) => {
  const directory = makeTempDirectory(t);
  mkdirSync(join(directory, hex.slice(0, 2)));
  const path = join(directory, hex.slice(0, 2), hex);
  const store = new DirStore(directory, "dir:///x");
  execFileSync("mkfifo", [path]);
  await assert.rejects(store.get(id), /is no file/);
  execFileSync("rm", [path]);
  writeFileSync(path, Buffer.alloc(MAX_SEALED_BYTES + 1));
  await assert.rejects(store.get(id), /bytes/);
});

test("a web server is asked for both paths", async (t) => {
  const server = await startServer(t, ({ url }, response) => {
    if (url === `/b/${hex}`) response.end(sealed);
    else response.writeHead(404).end();
  });
  assert.deepEqual(Buffer.from((await httpStore(`${server.url}/b/`).get(id)) ?? []), sealed);
  assert.deepEqual(server.asked, [`/b/${hex.slice(0, 2)}/${hex}`, `/b/${hex}`]);
  assert.equal(await httpStore(`${server.url}/c`).get(id), undefined);
});

test("a busy web server is asked again, one that refuses is not", async (t) => {
  let failures = 2;
  const server = await startServer(t, ({ url }, response) => {
    if (url?.startsWith("/forbidden")) response.writeHead(403).end();
    else if (failures-- > 0) response.writeHead(503).end();
    else response.end(sealed);
  });
  assert.ok(await httpStore(server.url).get(id));
  assert.equal(server.asked.length, 3);
  await assert.rejects(httpStore(`${server.url}/forbidden`).get(id), /status 403/);
  assert.equal(server.asked.length, 4);
  failures = 9;
  await assert.rejects(httpStore(server.url).get(id), /status 503/);
  assert.equal(server.asked.length, 7);
});

test("a connection that breaks, a server that is not there and one that is silent are given up", async (t) => {
  const server = await startServer(t, ({ url }, response) => {
    if (url?.startsWith("/silent")) return;
    response.writeHead(200, { "content-length": sealed.length });
    response.write(sealed.subarray(0, 5), () => response.destroy());
  });
  await assert.rejects(httpStore(server.url).get(id));
  assert.equal(server.asked.length, 3);
  const silent = new HttpStore(parseStoreAddress(`${server.url}/silent`), {
    mayFollow: () => false,
    retry: { attempts: 1, firstDelayMs: 1 },
    timeoutMs: 50,
  });
  await assert.rejects(silent.get(id), /no answer within 50 ms/);
  await assert.rejects(httpStore("http://127.0.0.1:1").get(id), /ECONNREFUSED|bad port/);
});

test("an answer without end is cut off", async (t) => {
  const server = await startServer(t, (_, response) => {
    const send = () => {
      while (response.write(Buffer.alloc(65536)) && !response.destroyed);
    };
    response.on("drain", send);
    send();
  });
  await assert.rejects(httpStore(server.url).get(id), /gives more than/);
});

test("a web server may send us only where it is allowed, and not for ever", async (t) => {
  const secret = await startServer(t, (_, response) => response.end(sealed));
  const server = await startServer(t, ({ url }, response) => {
    const location = url?.startsWith("/loop") ? "/loop" : `${secret.url}/x`;
    response.writeHead(302, { location }).end();
  });
  await assert.rejects(
    httpStore(server.url).get(id),
    /leads to http:\/\/127\.0\.0\.1:\d+, which is not allowed/,
  );
  assert.deepEqual(secret.asked, []);
  assert.ok(await httpStore(server.url, ({ href }) => href.startsWith(secret.url)).get(id));
  await assert.rejects(httpStore(`${server.url}/loop`, () => true).get(id), /leads on more than 5 times/);
});

test("a download ends when its caller goes away", async (t) => {
  const controller = new AbortController();
  const server = await startServer(t, () => controller.abort());
  await assert.rejects(httpStore(server.url).get(id, controller.signal), (error) =>
    isHuskError(error, "ERR_ABORTED"),
  );
});

test("a zdb keeps blocks in a namespace, behind a password", async (t) => {
  const zdb = await startFakeZdb(t, { password: "pass word" });
  const store = new ZdbStore(parseStoreAddress(`zdb://:pass%20word@127.0.0.1:${zdb.port}/flists`), {
    retry: QUICK,
  });
  t.after(() => store.close());
  assert.equal(await store.get(id), undefined);
  await store.put(id, sealed);
  await store.put(id, sealed);
  assert.deepEqual(Buffer.from((await store.get(id)) ?? []), sealed);
  assert.deepEqual([...zdb.stored.keys()], [`flists/${hex}`]);
  assert.ok(!store.address.includes("pass"));
  const stranger = new ZdbStore(parseStoreAddress(`zdb://127.0.0.1:${zdb.port}/flists`), { retry: QUICK });
  t.after(() => stranger.close());
  await assert.rejects(stranger.get(id), /does not open the namespace flists: Access denied/);
});

test("many blocks of a zdb share few connections; of the default namespace none is selected", async (t) => {
  const path = join(makeTempDirectory(t), "zdb.sock");
  const zdb = await startFakeZdb(t, { path });
  const store = new ZdbStore(parseStoreAddress(`zdb://${path}`));
  t.after(() => store.close());
  const blocks = await Promise.all(
    Array.from({ length: 50 }, (_, i) => sealBlock(Buffer.from(`block ${i}`))),
  );
  await Promise.all(blocks.map((block) => store.put(block.id, block.sealed)));
  const found = await Promise.all(blocks.map((block) => store.get(block.id)));
  assert.deepEqual(
    found.map((bytes) => Buffer.from(bytes ?? [])),
    blocks.map((block) => block.sealed),
  );
  assert.ok(zdb.connections <= 8, `${zdb.connections} connections`);
  assert.ok(!zdb.commands.some((command) => command.startsWith("SELECT")));
});

test("a zdb that lets connections go is asked again; one that is not there is given up", async (t) => {
  const zdb = await startFakeZdb(t);
  const store = new ZdbStore(parseStoreAddress(`zdb://127.0.0.1:${zdb.port}/a`), { retry: QUICK });
  t.after(() => store.close());
  await store.put(id, sealed);
  zdb.drops = 2;
  assert.deepEqual(Buffer.from((await store.get(id)) ?? []), sealed);
  zdb.drops = 99;
  await assert.rejects(store.get(id), /closed the connection/);
  const nobody = new ZdbStore(parseStoreAddress("zdb://127.0.0.1:1"), { retry: QUICK });
  await assert.rejects(nobody.get(id), /ECONNREFUSED/);
});

test("a zdb that is silent is given up, and its caller may go away", async (t) => {
  const server = createServer((socket) => t.after(() => socket.destroy()));
  const path = join(makeTempDirectory(t), "s");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  const store = new ZdbStore(parseStoreAddress(`zdb://${path}`), {
    retry: { attempts: 1, firstDelayMs: 1 },
    // The connection itself takes some of it.
    timeoutMs: 1000,
  });
  await assert.rejects(store.get(id), /no answer within 1000 ms/);
  const patient = new ZdbStore(parseStoreAddress(`zdb://${path}`));
  t.after(() => patient.close());
  const controller = new AbortController();
  const asked = patient.get(id, controller.signal);
  controller.abort();
  await assert.rejects(asked, (error) => isHuskError(error, "ERR_ABORTED"));
});
