import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isHuskError } from "@husk/virtcontainers";
import { packFlist } from "../flist/pack/pack-flist.ts";
import { startServer } from "../testing/block-server.ts";
import { makeLayout, makeTar } from "../testing/make-layout.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import { type SharedRoot, shareRoot } from "./root-cache.ts";

const FILES = 12;
const WORKER = fileURLToPath(new URL("../testing/share-worker.ts", import.meta.url));

/** Packs a small tree whose blocks a web server has, that may be made to wait. */
async function makeServedFlist(t: TestContext) {
  const base = makeTempDirectory(t);
  mkdirSync(join(base, "tree"));
  for (let i = 0; i < FILES; i += 1) writeFileSync(join(base, `tree/${i}`), `this is file ${i}`);
  const held: { url: string; response: ServerResponse }[] = [];
  const gate = {
    closed: false,
    onRequest: () => {},
    release() {
      gate.closed = false;
      for (const { url, response } of held.splice(0)) response.end(readFileSync(join(base, "store", url)));
    },
  };
  const server = await startServer(t, ({ url = "" }, response) => {
    gate.onRequest();
    if (gate.closed) held.push({ url, response });
    else response.end(readFileSync(join(base, "store", url)));
  });
  const flist = join(base, "a.fl");
  await packFlist(join(base, "tree"), flist, { stores: [`dir://${base}/store`], routes: [server.url] });
  const cacheDirectory = join(base, "cache");
  return { base, flist, server, gate, options: { cacheDirectory, allowedStores: [server.url] } };
}

function isWhole({ path }: { path: string }): boolean {
  return Array.from({ length: FILES }, (_, i) => readFileSync(join(path, `${i}`), "utf8")).every(
    (text, i) => text === `this is file ${i}`,
  );
}

function startWorker(t: TestContext, flist: string, cache: string, allowed: string): ChildProcess {
  const worker = spawn(process.execPath, [WORKER, flist, cache, allowed], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => worker.kill("SIGKILL"));
  return worker;
}

test("what is packed is unpacked once, however many ask at the same time", async (t) => {
  const { flist, server, options } = await makeServedFlist(t);
  const roots = await Promise.all(Array.from({ length: 5 }, () => shareRoot(flist, options)));
  t.after(() => {
    for (const root of roots) root[Symbol.dispose]();
  });
  assert.equal(new Set(roots.map(({ path }) => path)).size, 1);
  assert.ok(isWhole(roots[0] as SharedRoot));
  assert.equal(server.asked.length, FILES);
  const again = await shareRoot(flist, options);
  t.after(() => again[Symbol.dispose]());
  assert.equal(server.asked.length, FILES);
});

test("who waits for a root to be made does not wait for those who use it", async (t) => {
  const { flist, server, gate, options } = await makeServedFlist(t);
  gate.closed = true;
  const asked = new Promise<void>((resolve) => (gate.onRequest = resolve));
  const maker = startWorker(t, flist, options.cacheDirectory, server.url);
  await asked;
  const waiting = Array.from({ length: 3 }, () => shareRoot(flist, options));
  gate.release();
  await once(maker.stdout as NonNullable<typeof maker.stdout>, "data");
  // The maker uses the root now, and goes on doing so.
  for (const root of await Promise.all(waiting)) {
    assert.ok(isWhole(root));
    root[Symbol.dispose]();
  }
  assert.equal(maker.exitCode, null);
});

test("nobody else can reach what is unpacked", async (t) => {
  const { flist, options } = await makeServedFlist(t);
  using root = await shareRoot(flist, options);
  assert.equal(statSync(join(root.path, "..")).mode & 0o777, 0o700);
});

test("a process that is killed while it unpacks leaves nothing that is taken for whole", async (t) => {
  const { base, flist, server, gate, options } = await makeServedFlist(t);
  gate.closed = true;
  const asked = new Promise<void>((resolve) => (gate.onRequest = resolve));
  const worker = startWorker(t, flist, options.cacheDirectory, server.url);
  await asked;
  const roots = join(base, "cache/roots");
  assert.equal(readdirSync(roots).filter((name) => name.startsWith(".new-")).length, 1);
  // One that waits for the dead one's lock gets it.
  const waiting = shareRoot(flist, options);
  worker.kill("SIGKILL");
  await once(worker, "exit");
  gate.closed = false;
  using root = await waiting;
  assert.ok(isWhole(root));
  assert.deepEqual(
    readdirSync(roots).filter((name) => name.startsWith(".new-")),
    [],
  );
});

test("a root that is in use stays, also that of another process; others go when there are too many", async (t) => {
  const { base, flist, server, options } = await makeServedFlist(t);
  const roots = join(base, "cache/roots");
  const holder = startWorker(t, flist, options.cacheDirectory, server.url);
  const [printed] = await once(holder.stdout as NonNullable<typeof holder.stdout>, "data");
  const held = String(printed).trim();
  // Its lock is the oldest of all.
  utimesSync(`${held}.lock`, 1, 1);
  writeFileSync(join(base, "tree/0"), "changed");
  const other = join(base, "b.fl");
  await packFlist(join(base, "tree"), other, { stores: [`dir://${base}/store`], routes: [server.url] });
  const second = await shareRoot(other, { ...options, maxCacheBytes: 1 });
  assert.ok(existsSync(held) && existsSync(second.path));
  second[Symbol.dispose]();
  holder.stdin?.end();
  await once(holder, "exit");
  utimesSync(`${held}.lock`, 1, 1);
  using third = await shareRoot(other, { ...options, maxCacheBytes: 1 });
  assert.ok(!existsSync(held) && existsSync(third.path));
  assert.deepEqual(
    readdirSync(roots).filter((name) => name.includes(held.split("/").at(-1) ?? "")),
    [],
  );
});

test("a failure leaves nothing, and the next attempt succeeds", async (t) => {
  const { base, flist, options } = await makeServedFlist(t);
  const denied = shareRoot(flist, { ...options, allowedStores: [] });
  await assert.rejects(denied, (error) => isHuskError(error, "ERR_FLIST_STORE_DENIED"));
  const left = readdirSync(join(base, "cache"), { recursive: true }).map(String);
  assert.deepEqual(
    left.filter((name) => /\.fl$|\.new-|roots\/flist-[0-9a-f]+$/.test(name)),
    [],
  );
  using root = await shareRoot(flist, options);
  assert.ok(isWhole(root));
});

test("what remains of flists that could not be had goes when others are", async (t) => {
  const { base, flist, options } = await makeServedFlist(t);
  await assert.rejects(shareRoot(flist, { ...options, allowedStores: [] }));
  const layout = makeLayout(join(base, "layout"), [makeTar([{ path: "f" }])]);
  using root = await shareRoot(`${layout}:latest`, options);
  const name = `oci-${root.fingerprint}`;
  const left = readdirSync(join(base, "cache/roots")).sort();
  assert.deepEqual(left, [name, `${name}.lock`, `${name}.making`, `${name}.size`]);
  assert.deepEqual(readdirSync(root.path), ["f"]);
});

test("who goes away waits no longer, neither for the lock nor for blocks", async (t) => {
  const { flist, gate, options } = await makeServedFlist(t);
  gate.closed = true;
  const asked = new Promise<void>((resolve) => (gate.onRequest = resolve));
  const controllers = [new AbortController(), new AbortController()];
  const sharings = controllers.map(({ signal }) => shareRoot(flist, { ...options, signal }));
  for (const sharing of sharings) sharing.catch(() => {});
  await asked;
  for (const controller of controllers) controller.abort();
  for (const sharing of sharings) await assert.rejects(sharing, (error) => isHuskError(error, "ERR_ABORTED"));
});

test("a directory is used as it is", async (t) => {
  const base = makeTempDirectory(t);
  using root = await shareRoot(base, { cacheDirectory: join(base, "cache") });
  assert.deepEqual([root.path, root.fingerprint, root.lockFd], [base, undefined, undefined]);
  assert.deepEqual(readdirSync(base), []);
});
