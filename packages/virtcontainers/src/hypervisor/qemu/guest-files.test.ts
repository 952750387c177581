import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { checkAsset, checkInitramfs, findProgram } from "./guest-files.ts";

test("an asset must be given, be there and be a file", (t) => {
  const { base, rootFs } = makeTempRoot(t);
  assert.equal(checkAsset("the kernel", join(rootFs, "hello")), join(rootFs, "hello"));
  for (const path of [undefined, join(base, "none"), base]) {
    assert.throws(() => checkAsset("the kernel", path), {
      code: "ERR_ASSET_MISSING",
      message: /^the kernel /,
    });
  }
});

test("an initramfs is known by its first bytes", (t) => {
  const { base } = makeTempRoot(t);
  const path = join(base, "image");
  for (const head of [Buffer.from("070701000"), Buffer.from([0x1f, 0x8b, 8, 0])]) {
    writeFileSync(path, head);
    checkInitramfs(path);
  }
  for (const head of ["", "0707", "\x7fELF"]) {
    writeFileSync(path, head);
    assert.throws(() => checkInitramfs(path), { code: "ERR_NOT_SUPPORTED" });
  }
});

test("a program is found by its path or along PATH, if it can be executed", (t) => {
  const { base } = makeTempRoot(t);
  const path = join(base, "qemu-of-this-test");
  writeFileSync(path, "#!/bin/sh\n");
  assert.throws(() => findProgram(path), { code: "ERR_QEMU_MISSING" });
  chmodSync(path, 0o755);
  assert.equal(findProgram(path), path);
  assert.match(findProgram("sh"), /^\/.*\/sh$/);
  assert.throws(() => findProgram("no-such-program-anywhere"), { code: "ERR_QEMU_MISSING" });
  assert.throws(() => findProgram(base), { code: "ERR_QEMU_MISSING" });
});
