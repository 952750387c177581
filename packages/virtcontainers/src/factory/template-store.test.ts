import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { filesOf, PARTS, TemplateStore } from "./template-store.ts";

const KEY = "0123456789abcdef0123456789abcdef";

function makePlace(test: TestContext): string {
  const path = mkdtempSync("/dev/shm/husk-store-");
  test.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Puts files there that are as a template's. */
function makeTemplate(store: TemplateStore, key = KEY): void {
  const folder = join(store.path, `.new-${key}`);
  mkdirSync(folder);
  const { memoryPath, statePath } = filesOf(folder);
  for (const path of [memoryPath, statePath]) writeFileSync(path, "");
  store.publish(folder, { key, createdAt: new Date().toISOString(), vcpus: 1, memory: 0, agent: "kata" });
}

test("what is removed is the store's own, and the directory only when nothing else is in it", async (t) => {
  const path = makePlace(t);
  const store = new TemplateStore(path);
  store.open();
  await store.placeholder();
  makeTemplate(store);
  writeFileSync(`${store.folder(KEY)}.lock`, "");
  mkdirSync(`${path}/placeholder.1-1-01234567`);
  for (const other of ["notes", `${KEY}.old`, ".new-1-2-x"]) writeFileSync(join(path, other), "");
  assert.equal(await store.clear(), 1);
  assert.deepEqual(readdirSync(path).sort(), [".new-1-2-x", `${KEY}.old`, "notes"]);
  for (const name of readdirSync(path)) rmSync(join(path, name));
  assert.equal(await store.clear(), 0);
  assert.ok(!existsSync(path));
  assert.equal(await store.clear(), 0);
});

test("what is being made is left to its maker", async (t) => {
  const path = makePlace(t);
  const store = new TemplateStore(path);
  const other = KEY.replace("0", "f");
  const maker = await store.lock(KEY, { mode: "exclusive" });
  const parts = await store.lock(PARTS, { mode: "shared" });
  await store.placeholder();
  makeTemplate(store, other);
  assert.equal(await store.clear(), 1);
  const locks = [`${KEY}.lock`, "placeholder", "placeholder.lock"];
  assert.deepEqual(readdirSync(path).sort(), locks);
  makeTemplate(store);
  assert.equal(await store.clear(), 0);
  assert.ok(store.find(KEY));
  // Who waits for its lock while it is removed gets another one.
  parts?.release();
  const next = store.lock(KEY, { mode: "exclusive" });
  maker?.release();
  (await next)?.release();
  const both = await Promise.all([store.clear(), store.clear()]);
  assert.deepEqual(both.sort(), [0, 1]);
  assert.ok(!existsSync(path));
});

test("who waits for the lock of what is removed makes it anew", async (t) => {
  const path = makePlace(t);
  const store = new TemplateStore(path);
  const held = await store.lock(KEY, { mode: "exclusive" });
  const next = store.lock(KEY, { mode: "exclusive" });
  rmSync(path, { recursive: true });
  held?.release();
  using lock = await next;
  assert.ok(lock);
  assert.deepEqual(readdirSync(path), [`${KEY}.lock`]);
});

test("a lock that cannot be made is told", async (t) => {
  const store = new TemplateStore(makePlace(t));
  mkdirSync(`${store.folder(KEY)}.lock`);
  await assert.rejects(store.lock(KEY, { mode: "exclusive" }), { code: "ERR_STORE", message: /EISDIR/ });
});

test("a directory in which others can write is refused", (t) => {
  const path = makePlace(t);
  const refused = (place: string) =>
    assert.throws(() => new TemplateStore(place).open(), { code: "ERR_STORE", message: /others/ });
  const own = join(path, "own");
  new TemplateStore(own).open();
  symlinkSync(own, join(path, "link"));
  refused(join(path, "link"));
  chmodSync(own, 0o1777);
  refused(own);
  chmodSync(own, 0o700);
  if (process.geteuid?.() !== 0) return;
  chownSync(own, 12_345, 0);
  refused(own);
});
