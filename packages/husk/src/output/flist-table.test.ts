import assert from "node:assert/strict";
import { test } from "node:test";
import type { Flist, FlistEntry } from "@husk/container-module";
import { describeFlist, renderFlist, renderPermissions } from "./flist-table.ts";

const plain: FlistEntry = {
  path: "",
  kind: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0,
  blocks: [],
};
const hash = new Uint8Array(32);
const flist: Flist = {
  entries: [
    plain,
    {
      ...plain,
      path: "f",
      kind: "file",
      mode: 0o4755,
      size: 10,
      uid: 1,
      gid: 2,
      blocks: [{ id: hash, key: hash }],
    },
    { ...plain, path: "l", kind: "symlink", mode: 0o777, target: Buffer.from("a\u001bb") },
    {
      ...plain,
      path: "null",
      kind: "character",
      mode: 0o666,
      device: { major: 1, minor: 3 },
      mtime: 1e9,
    },
  ],
  routes: [{ start: 0, end: 255, url: "dir:///s" }],
  tags: new Map([["version", "3"]]),
  totalBytes: 10,
  blockCount: 1,
};

test("an flist is shown as ls(1) shows a directory, without what steers a terminal", () => {
  assert.equal(
    renderFlist(flist),
    `MODE        OWNER  SIZE  CHANGED               NAME
drwxr-xr-x  0:0          1970-01-01T00:00:00Z  /
-rwsr-xr-x  1:2      10  1970-01-01T00:00:00Z  /f
lrwxrwxrwx  0:0          1970-01-01T00:00:00Z  /l -> a\ufffdb
crw-rw-rw-  0:0    1, 3  2001-09-09T01:46:40Z  /null

BLOCKS  STORE
00-ff   dir:///s

TAG      TEXT
version  3

4 entries, 10 B in 1 blocks
`,
  );
});

test("as JSON it has the same", () => {
  const { entries, tags } = describeFlist(flist) as { entries: object[]; tags: object };
  assert.deepEqual(tags, { version: "3" });
  assert.deepEqual(entries[1], {
    path: "/f",
    kind: "file",
    mode: "04755",
    uid: 1,
    gid: 2,
    size: 10,
    mtime: "1970-01-01T00:00:00Z",
    blocks: 1,
  });
});

test("special bits take the place of x, in capitals when there is none", () => {
  assert.equal(renderPermissions(0o7777), "rwsrwsrwt");
  assert.equal(renderPermissions(0o7000), "--S--S--T");
});
