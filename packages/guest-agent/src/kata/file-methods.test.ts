import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { CopyFileRequest } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { insidePath } from "../../test/support/inside.ts";
import { KataSession } from "../../test/support/kata-session.ts";
import { needsStage } from "../../test/support/stage.ts";

const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** Most bytes of a piece, as a host sends them. */
const PIECE_BYTES = 1024 * 1024;

async function copy(
  session: Pick<KataSession, "call">,
  path: string,
  contents: Uint8Array,
  more: MessageInit<CopyFileRequest> = {},
): Promise<void> {
  for (let at = 0; at === 0 || at < contents.length; at += PIECE_BYTES) {
    await session.call("CopyFile", {
      path,
      fileSize: BigInt(contents.length),
      fileMode: S_IFREG | 0o640,
      dirMode: 0o750,
      uid: 12,
      gid: 34,
      offset: BigInt(at),
      data: contents.subarray(at, at + PIECE_BYTES),
      ...more,
    });
  }
}

const small = Buffer.from("hello\n");

describe("CopyFile", needsStage, () => {
  it("makes a file with its folders, owner and mode, out of pieces", async () => {
    await using session = await KataSession.start();
    const contents = Buffer.alloc(3 * PIECE_BYTES + 17, "0123456789abcdefg");
    await copy(session, "/run/some/deep/file", contents, { fileMode: S_IFREG | 0o4755 });
    const file = insidePath(session, "/run/some/deep/file");
    const { mode, uid, gid } = await stat(file);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o4755, 12, 34]);
    assert.ok(contents.equals(await readFile(file)));
    assert.equal((await stat(insidePath(session, "/run/some"))).mode & 0o7777, 0o750);
    assert.deepEqual(await readdir(insidePath(session, "/run/some/deep")), ["file"]);
    await copy(session, "/run/some/empty", Buffer.alloc(0));
    assert.equal((await stat(insidePath(session, "/run/some/empty"))).size, 0);
  });

  it("shows a file only when it is whole, and begins anew at its first byte", async () => {
    await using session = await KataSession.start();
    const path = "/run/file";
    const first = { path, fileSize: 6n, fileMode: 0o600, data: Buffer.from("abcd") };
    await session.call("CopyFile", first);
    assert.equal(existsSync(insidePath(session, path)), false);
    await session.call("CopyFile", { ...first, data: Buffer.from("xyz") });
    assert.deepEqual(await session.refuse("CopyFile", { ...first, offset: 5n, data: Buffer.from("f") }), {
      status: "INVALID_ARGUMENT",
      message: "/run/file: byte 5 came before byte 3",
    });
    await session.call("CopyFile", { ...first, offset: 3n, data: Buffer.from("123") });
    assert.equal(readFileSync(insidePath(session, path), "utf8"), "xyz123");
  });

  it("replaces a file that is there, and takes 20 at once", async () => {
    await using session = await KataSession.start();
    await copy(session, "/run/file", small);
    const files = Array.from({ length: 20 }, (_, at) => Buffer.alloc(PIECE_BYTES + at, `${at};`));
    await Promise.all(files.map((contents, at) => copy(session.connect(), `/run/all/${at}`, contents)));
    for (const [at, contents] of files.entries()) {
      assert.ok(contents.equals(await readFile(insidePath(session, `/run/all/${at}`))), `file ${at}`);
    }
    await copy(session, "/run/file", Buffer.from("another"));
    assert.equal(readFileSync(insidePath(session, "/run/file"), "utf8"), "another");
  });

  it("makes folders and links", async () => {
    await using session = await KataSession.start();
    await copy(session, "/run/a/folder", Buffer.alloc(0), { fileMode: S_IFDIR | 0o2711 });
    const folder = await stat(insidePath(session, "/run/a/folder"));
    assert.deepEqual([folder.isDirectory(), folder.mode & 0o7777, folder.uid], [true, 0o2711, 12]);
    await copy(session, "/run/a/..data", Buffer.from("../../etc/passwd"), { fileMode: S_IFLNK | 0o777 });
    const link = insidePath(session, "/run/a/..data");
    assert.deepEqual([await readlink(link), (await lstat(link)).gid], ["../../etc/passwd", 34]);
    await copy(session, "/run/a/..data", Buffer.from("folder"), { fileMode: S_IFLNK | 0o777 });
    assert.equal(await readlink(link), "folder");
  });

  it("refuses what leads out of /run, by text or by link", async () => {
    await using session = await KataSession.start();
    const outside = insidePath(session, "/run/outside");
    await mkdir(outside);
    await symlink("/tmp", insidePath(session, "/run/out"));
    await symlink("outside", insidePath(session, "/run/in"));
    await symlink("/run/outside/planted", insidePath(session, "/run/last"));
    await writeFile(insidePath(session, "/run/plain"), "");
    const attempt = async (path: string, more: MessageInit<CopyFileRequest> = {}) => {
      const request = { path, fileSize: 1n, fileMode: 0o600, data: Buffer.from("x"), ...more };
      return session.refuse("CopyFile", request);
    };
    for (const path of [
      "",
      "/",
      "/run",
      "/run/",
      "/runX/file",
      "run/file",
      "/run/../etc/x",
      "/etc/x",
      "/run/a/..",
    ]) {
      const { status, message } = await attempt(path);
      assert.equal(status, "INVALID_ARGUMENT", path);
      assert.match(message, /is not a path below \/run$/, path);
    }
    assert.match((await attempt("/run/out/x")).message, /^\/run\/out leads through a link$/);
    assert.match((await attempt("/run/in/x/y")).message, /leads through a link$/);
    assert.match((await attempt("/run/plain/x")).message, /^\/run\/plain is no folder$/);
    assert.match((await attempt("/run/plain/x/y")).message, /leads through what is no folder$/);
    assert.match((await attempt(`/run/${"x".repeat(250)}`)).message, /is too long$/);
    assert.match((await attempt(`/run/${"x".repeat(300)}`)).message, /is longer than 255 bytes$/);
    assert.match((await attempt(`/run${"/x".repeat(70)}`)).message, /70 names, more than 64$/);
    assert.match((await attempt("/run/nul\0x")).message, /NUL/);
    assert.match(
      (await attempt("/run/fifo", { fileMode: 0o010600 })).message,
      /kind 010000 cannot be copied$/,
    );
    assert.match((await attempt("/run/x", { fileSize: -1n })).message, /-1 is no number of bytes/);
    assert.match((await attempt("/run/x", { fileSize: 0n })).message, /bytes 0 to 1 are not of a file of 0$/);
    assert.match((await attempt("/run/x", { offset: 2n ** 62n })).message, /is no number of bytes/);
    assert.match((await attempt("/run/x", { fileSize: 9n, offset: 4n })).message, /No such file/);
    // A link in the last place is not followed, but replaced.
    await copy(session, "/run/last", small);
    assert.deepEqual(await readdir(outside), []);
    assert.ok((await lstat(insidePath(session, "/run/last"))).isFile());
  });

  it("follows no link that stands where a part was begun", async () => {
    await using session = await KataSession.start();
    await mkdir(insidePath(session, "/run/shared"));
    await symlink("/run/target", insidePath(session, "/run/shared/.file.husk-part"));
    const request = {
      path: "/run/shared/file",
      fileSize: 2n,
      fileMode: 0o600,
      offset: 1n,
      data: Buffer.from("x"),
    };
    await session.refuse("CopyFile", request);
    await copy(session, "/run/shared/file", small);
    assert.equal(existsSync(insidePath(session, "/run/target")), false);
  });
});
