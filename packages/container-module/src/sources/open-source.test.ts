import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { startServer } from "../testing/block-server.ts";
import { makeFlist, ROOT } from "../testing/hand-made-flist.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import { openSource } from "./open-source.ts";
import { unpackTo } from "./unpack-to.ts";

test("what is no source is refused, and why is told", async (t) => {
  const base = makeTempDirectory(t);
  writeFileSync(join(base, "empty.fl"), "");
  writeFileSync(join(base, "text.fl"), "hello");
  writeFileSync(join(base, "old.flist"), gzipSync("x"));
  const bad: [string, ErrorCode][] = [
    ["none.fl", "ERR_ROOTFS_MISSING"],
    ["none:tag", "ERR_ROOTFS_MISSING"],
    ["empty.fl", "ERR_FLIST_INVALID"],
    ["text.fl", "ERR_FLIST_INVALID"],
    ["old.flist", "ERR_NOT_SUPPORTED"],
  ];
  for (const [name, code] of bad) {
    await assert.rejects(openSource(join(base, name), { cacheDirectory: join(base, "cache") }), (error) => {
      return isHuskError(error, code) && error.message.includes(base);
    });
  }
  await assert.rejects(openSource("/dev/null"), /neither a file nor a directory/);
});

test("an flist of the web is fetched, bounded, and known by its contents", async (t) => {
  const base = makeTempDirectory(t);
  const flist = makeFlist(join(base, "a.fl"), [ROOT, { ino: 2, name: "f" }]);
  const elsewhere = await startServer(t, (_, response) => response.end("x"));
  const server = await startServer(t, ({ url }, response) => {
    if (url === "/a.fl") response.end(readFileSync(flist));
    else if (url === "/moved.fl") response.writeHead(301, { location: "/a.fl" }).end();
    else if (url === "/away.fl")
      response.writeHead(301, { location: elsewhere.url.replace("127.0.0.1", "localhost") }).end();
    else response.writeHead(404).end();
  });
  const options = { cacheDirectory: join(base, "cache"), retry: { attempts: 1, firstDelayMs: 1 } };
  using local = await openSource(flist, options);
  using web = await openSource(`${server.url}/moved.fl`, options);
  assert.ok(local.kind === "flist" && web.kind === "flist");
  assert.equal(web.fingerprint, local.fingerprint);
  await unpackTo(web, join(base, "d"));
  assert.deepEqual(readdirSync(join(base, "d")), ["f"]);
  await assert.rejects(openSource(`${server.url}/none.fl`, options), (error) =>
    isHuskError(error, "ERR_ROOTFS_MISSING"),
  );
  await assert.rejects(openSource(`${server.url}/away.fl`, options), /not allowed/);
  assert.deepEqual(elsewhere.asked, []);
});

test("an flist that changes while it is used is the one that was opened", async (t) => {
  const base = makeTempDirectory(t);
  const flist = makeFlist(join(base, "a.fl"), [ROOT, { ino: 2, name: "before" }]);
  const source = await openSource(flist, { cacheDirectory: join(base, "cache") });
  assert.ok(source.kind === "flist");
  writeFileSync(flist, readFileSync(makeFlist(join(base, "b.fl"), [ROOT, { ino: 2, name: "after" }])));
  await unpackTo(source, join(base, "d"));
  source[Symbol.dispose]();
  assert.deepEqual(readdirSync(join(base, "d")), ["before"]);
  assert.deepEqual(readdirSync(join(base, "cache/incoming")), []);
});
