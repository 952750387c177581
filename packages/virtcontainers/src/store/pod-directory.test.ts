import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { chooseSocketDirectory, MAX_SOCKET_PATH_BYTES, PodDirectory, SOCKETS } from "./pod-directory.ts";

test("sockets stay in the pod's directory while their paths fit", () => {
  const names = [...Object.values(SOCKETS), basename(new PodDirectory("/p").attachSocket("c"))];
  const longest = Math.max(...names.map((name) => `/${name}.new`.length));
  const fits = "/".padEnd(MAX_SOCKET_PATH_BYTES - longest, "d");
  assert.equal(chooseSocketDirectory(fits), undefined);
  const short = chooseSocketDirectory(`${fits}d`);
  assert.ok(short);
  const directory = new PodDirectory(`${fits}d`, short);
  directory.makeSocketDirectory();
  try {
    assert.throws(() => directory.makeSocketDirectory(), { code: "EEXIST" });
    assert.equal(statSync(short).mode & 0o777, 0o700);
    assert.ok(Buffer.byteLength(directory.socket("relayControl")) <= MAX_SOCKET_PATH_BYTES);
    assert.equal(directory.file("record"), `${fits}d/pod.json`);
  } finally {
    rmSync(short, { recursive: true });
  }
});

test("removing takes the files and the sockets' directory away", (t) => {
  const { base } = makeTempRoot(t);
  const [path, sockets] = [join(base, "p"), join(base, "s")];
  mkdirSync(path);
  mkdirSync(sockets);
  const directory = new PodDirectory(path, sockets);
  writeFileSync(directory.file("console"), "x");
  for (const socket of [directory.socket("qmp"), directory.attachSocket("c")]) {
    writeFileSync(socket, "");
    directory.removeSockets();
    assert.ok(!existsSync(socket));
  }
  directory.remove();
  assert.ok(!existsSync(path) && !existsSync(sockets));
});

test("a directory of sockets that was cleared away is made anew", (t) => {
  const { base } = makeTempRoot(t);
  const sockets = join(base, "s");
  const directory = new PodDirectory(base, sockets);
  directory.removeSockets();
  directory.keepSocketDirectory();
  assert.equal(statSync(sockets).mode & 0o777, 0o700);
  directory.keepSocketDirectory();
});
