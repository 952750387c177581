import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { startServer } from "../../testing/block-server.ts";
import { startFakeZdb } from "../../testing/fake-zdb.ts";
import { makeTempDirectory } from "../../testing/temp-directory.ts";
import { DirStore } from "../stores/dir-store.ts";
import { BlockCache } from "./block-cache.ts";
import { sealBlock } from "./block-codec.ts";
import { BlockSource, type BlockSourceOptions } from "./block-source.ts";

const block = await sealBlock(Buffer.from("some bytes"));
const first = block.id[0] ?? 0;
const QUICK = { attempts: 1, firstDelayMs: 1 };

/** Gets the block from what is given, and gives its text. */
async function get(options: Partial<BlockSourceOptions>): Promise<string> {
  using source = new BlockSource({ routes: [], retry: QUICK, ...options });
  return Buffer.from(await source.get(block)).toString();
}

/** A directory store that has the block. */
async function makeStore(directory: string): Promise<string> {
  await new DirStore(directory, "").put(block.id, block.sealed);
  return `dir://${directory}`;
}

test("a block comes from a store that the flist names and that is allowed", async (t) => {
  const url = await makeStore(makeTempDirectory(t));
  const routes = [{ start: 0, end: 255, url }];
  assert.equal(await get({ routes, allowedStores: [url] }), "some bytes");
  assert.equal(await get({ stores: [url] }), "some bytes");
});

test("nothing is asked of a store that is not allowed", async (t) => {
  const server = await startServer(t, (_, response) => response.end(block.sealed));
  const zdb = await startFakeZdb(t);
  const directory = await makeStore(makeTempDirectory(t));
  const urls = [
    `${server.url}/blocks`,
    `zdb://127.0.0.1:${zdb.port}/x`,
    directory,
    "s3://key:secret@host/b",
    "nonsense",
  ];
  const routes = urls.map((url) => ({ start: 0, end: 255, url }));
  const denied = get({ routes, allowedStores: [`${server.url}/other`, "zdb://127.0.0.1:1"] });
  await assert.rejects(denied, (error) => {
    assert.ok(isHuskError(error, "ERR_FLIST_STORE_DENIED"));
    for (const text of [server.url, directory, "s3://host"])
      assert.ok(error.message.includes(text), error.message);
    assert.ok(!error.message.includes("secret"));
    return true;
  });
  assert.deepEqual([server.asked, zdb.connections], [[], 0]);
});

test("only stores whose range has the block are asked", async (t) => {
  const url = await makeStore(makeTempDirectory(t));
  const routes = [
    { start: first + 1, end: 255, url },
    { start: 0, end: first - 1, url },
  ];
  await assert.rejects(get({ routes, allowedStores: [url] }), /names no store that has it/);
  assert.equal(
    await get({ routes: [...routes, { start: first, end: first, url }], allowedStores: [url] }),
    "some bytes",
  );
});

test("when one store lacks it, lies or is down, the next is asked, and the error tells of all", async (t) => {
  const liar = await startServer(t, (_, response) => response.end("something else"));
  const base = makeTempDirectory(t);
  mkdirSync(join(base, "empty"));
  const bad = [liar.url, "http://127.0.0.1:1", `dir://${base}/empty`];
  const good = await makeStore(join(base, "good"));
  const routes = [...bad, good].map((url) => ({ start: 0, end: 255, url }));
  assert.equal(await get({ routes, allowedStores: [...bad, good] }), "some bytes");
  assert.equal(await get({ routes, allowedStores: [good] }), "some bytes");
  await assert.rejects(get({ routes, allowedStores: bad }), (error) => {
    assert.ok(isHuskError(error, "ERR_FLIST_BLOCK"));
    for (const why of [/gave something else/, /does not have it/, /not allowed/])
      assert.match(error.message, why);
    return true;
  });
});

test("a password comes from who allows a store, never from the flist", async (t) => {
  const zdb = await startFakeZdb(t, { password: "right" });
  const url = `zdb://127.0.0.1:${zdb.port}/x`;
  zdb.stored.set(`x/${Buffer.from(block.id).toString("hex")}`, block.sealed);
  const routes = [{ start: 0, end: 255, url: url.replace("//", "//:right@") }];
  await assert.rejects(get({ routes, allowedStores: [url] }), /Access denied/);
  assert.equal(
    await get({ routes: [{ start: 0, end: 255, url }], allowedStores: [url.replace("//", "//:right@")] }),
    "some bytes",
  );
});

test("a block that its key does not open is the flist's fault", async (t) => {
  const url = await makeStore(makeTempDirectory(t));
  using source = new BlockSource({ routes: [], stores: [url] });
  const wrong = source.get({ id: block.id, key: new Uint8Array(32) });
  await assert.rejects(wrong, (error) => isHuskError(error, "ERR_FLIST_INVALID"));
});

test("a web server that is allowed may send us to another that is", async (t) => {
  const other = await startServer(t, (_, response) => response.end(block.sealed));
  const server = await startServer(t, (_, response) => {
    response.writeHead(307, { location: `${other.url}/blocks/x?signed=1` }).end();
  });
  const routes = [{ start: 0, end: 255, url: server.url }];
  assert.equal(await get({ routes, allowedStores: [server.url, `${other.url}/blocks`] }), "some bytes");
  await assert.rejects(get({ routes, allowedStores: [server.url, `${other.url}/else`] }), /not allowed/);
});

test("what was fetched is kept, and asked of nobody again; what was damaged is fetched anew", async (t) => {
  const base = makeTempDirectory(t);
  const cache = new BlockCache(join(base, "cache"));
  const server = await startServer(t, (_, response) => response.end(block.sealed));
  const options = { cache, routes: [{ start: 0, end: 255, url: server.url }], allowedStores: [server.url] };
  assert.equal(await get(options), "some bytes");
  assert.equal(await get(options), "some bytes");
  assert.equal(server.asked.length, 1);
  const hex = Buffer.from(block.id).toString("hex");
  writeFileSync(join(base, "cache", hex.slice(0, 2), hex), "damaged");
  assert.equal(await get(options), "some bytes");
  assert.equal(server.asked.length, 2);
});

test("the cache keeps what was used last, up to its size", async (t) => {
  const directory = join(makeTempDirectory(t), "cache");
  const cache = new BlockCache(directory);
  const blocks = await Promise.all(
    Array.from({ length: 10 }, (_, i) => sealBlock(Buffer.from(`block number ${i}`))),
  );
  for (const { id, sealed } of blocks) await cache.put(id, sealed);
  const size = blocks[0]?.sealed.length ?? 0;
  await cache.prune(3 * size);
  const left = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  assert.equal(left.length, 3);
});

test("no more than so many blocks are fetched at the same time", async (t) => {
  const blocks = await Promise.all(
    Array.from({ length: 20 }, (_, i) => sealBlock(Buffer.from(`block ${i}`))),
  );
  const byName = new Map(blocks.map(({ id, sealed }) => [Buffer.from(id).toString("hex"), sealed]));
  let [open, most] = [0, 0];
  const server = await startServer(t, ({ url = "" }, response) => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      response.end(byName.get(url.split("/").at(-1) ?? ""));
    });
  });
  using source = new BlockSource({ routes: [], stores: [server.url], concurrency: 3 });
  const texts = await Promise.all(blocks.map(async (one) => Buffer.from(await source.get(one)).toString()));
  assert.equal(texts[7], "block 7");
  assert.ok(most <= 3, `${most} at once`);
});
