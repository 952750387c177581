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
import { TemplateStore } from "./template-store.ts";

const KEY = "0123456789abcdef0123456789abcdef";

function makePlace(test: TestContext): string {
  const path = mkdtempSync("/dev/shm/husk-store-");
  test.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("what is removed is the store's own, and the directory only when nothing else is in it", async (t) => {
  const path = makePlace(t);
  const store = new TemplateStore(path);
  store.open();
  await store.placeholder();
  mkdirSync(store.folder(KEY));
  writeFileSync(`${store.folder(KEY)}.lock`, "");
  for (const other of ["notes", `${KEY}.old`, ".new-1-2-x"]) writeFileSync(join(path, other), "");
  store.clear();
  assert.deepEqual(readdirSync(path).sort(), [".new-1-2-x", `${KEY}.old`, "notes"]);
  for (const name of readdirSync(path)) rmSync(join(path, name));
  store.clear();
  assert.ok(!existsSync(path));
  store.clear();
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
