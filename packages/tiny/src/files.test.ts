import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { needsRoot } from "../test/support/needs-root.ts";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("files");
after(() => program.remove());

async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "husk-files-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const noEntry = (syscall: string, path: string) => ({
  message: `${syscall} ${path}: No such file or directory`,
  syscall,
  errno: 2,
  path,
});

test("whole files are written and read", async (t) => {
  const bytes = [...Buffer.from("kürzer\0!")];
  const expected = [20000, 0o600, true, "kürzer\0!", bytes];
  assert.deepEqual(await program.report("wholeFiles", await freshFolder(t)), expected);
});

test("what a copy needs: links, times, attributes", async (t) => {
  const folder = await freshFolder(t);
  assert.deepEqual(await program.report("copies", folder), {
    sameFile: true,
    times: [1_000_000_000, 1_000_000_001],
    noXattrs: noEntry("copy_xattrs", `${folder}/copy`),
  });
});

test("a file longer than the limit is an error, and is closed", async (t) => {
  const folder = await freshFolder(t);
  const expected = [`RangeError: ${folder}/file is longer than 4999 bytes`, 5000, 0];
  assert.deepEqual(await program.report("limits", folder), expected);
});

test("only a file that is not there counts as missing", async (t) => {
  const folder = await freshFolder(t);
  const isDirectory = { message: "read: Is a directory", syscall: "read", errno: 21 };
  const expected = [null, null, isDirectory, noEntry("open", `${folder}/none`), false];
  assert.deepEqual(await program.report("missing", folder), expected);
});

test("a path may be held to a folder, whatever links are in it", async (t) => {
  assert.deepEqual(await program.report("confined", await freshFolder(t)), [
    [4, "0123"],
    noEntry("openat2", "/magic"),
    noEntry("openat2", "/etc/passwd"),
    { message: "fstat: Bad file descriptor", syscall: "fstat", errno: 9 },
  ]);
});

test("a path may begin at a folder and go through no link", async (t) => {
  const failure = (path: string, errno: number, text: string) => ({
    message: `openat2 ${path}: ${text}`,
    syscall: "openat2",
    errno,
    path,
  });
  assert.deepEqual(await program.report("beneath", await freshFolder(t)), [
    10,
    failure("link", 40, "Symbolic link loop"),
    failure("../file", 18, "Cross-device link"),
    failure("/etc/passwd", 18, "Cross-device link"),
  ]);
});

test("links are followed, except by lstat", async (t) => {
  assert.deepEqual(await program.report("kinds", await freshFolder(t)), {
    dangling: [false, false],
    link: [true, true, "."],
    own: [0o120000, 0o040000],
    names: ["dangling", "link"],
  });
});

test("a name that is missing can be looked for without an error, and other failures are errors all the same", async (t) => {
  const folder = await freshFolder(t);
  const loop = (syscall: string, name: string) => ({
    message: `${syscall} ${folder}/${name}: Symbolic link loop`,
    syscall,
    errno: 40,
    path: `${folder}/${name}`,
  });
  assert.deepEqual(await program.report("namesThatAreMissing", folder), {
    stat: [true, false, false, false, false],
    lstat: [true, true, false, false, false],
    readlink: [null, "nowhere", null, null, null],
    others: [loop("stat", "loop"), loop("lstat", "loop/none"), loop("readlink", "loop/none")],
  });
});

test("directories are made with those above them", async (t) => {
  const folder = await freshFolder(t);
  const path = `${folder}/file/x`;
  assert.deepEqual(await program.report("directories", folder), {
    mode: 0o755,
    slash: true,
    relative: true,
    onFile: { message: `mkdir ${path}: Not a directory`, syscall: "mkdir", errno: 20, path },
    noParent: "nothing",
  });
});

test("files are renamed, removed and given modes", async (t) => {
  const folder = await freshFolder(t);
  const expected = [false, 0o640, false, false, noEntry("rename", `${folder}/to`)];
  assert.deepEqual(await program.report("changes", folder), expected);
});

test("device numbers are Linux's", async () => {
  assert.deepEqual(await program.report("devices"), [true, true, 0xff_ff_ff_ff]);
});

test("devices are made and given away", needsRoot, async (t) => {
  assert.deepEqual(await program.report("makeDevice", await freshFolder(t)), [true, 12, 34]);
});

test("an error names the call, the number and the path", async (t) => {
  const folder = await freshFolder(t);
  const found = (await program.report("errors", folder)) as unknown[];
  assert.deepEqual(found[0], noEntry("open", `${folder}/none`));
  assert.deepEqual(found[1], { message: "close: Bad file descriptor", syscall: "close", errno: 9 });
  assert.deepEqual(found[2], { message: "mkdir /: File exists", syscall: "mkdir", errno: 17, path: "/" });
  assert.deepEqual(found[3], {
    message: `open ${folder}: File exists`,
    syscall: "open",
    errno: 17,
    path: folder,
  });
});

test("no string with a NUL byte reaches the kernel", async () => {
  const expected = ["TypeError: a string for the kernel may not hold a NUL byte"];
  assert.deepEqual(await program.report("nulBytes"), expected);
});

test("no call reaches past its buffer", async () => {
  assert.deepEqual(await program.report("bounds"), [
    ["RangeError: offset and length reach past the buffer"],
    "TypeError: not a TypedArray",
    0,
  ]);
});

test("pipes say when they are empty, full and at their end", async () => {
  assert.deepEqual(await program.report("pipes"), {
    empty: -1,
    written: 3,
    read: 3,
    bytes: [0, 99, 100, 101, 0, 0],
    partly: true,
    full: -1,
    blocking: true,
    atEnd: 0,
  });
});

test("descriptors are copied", async () => {
  const failure = { message: "dup2: Bad file descriptor", syscall: "dup2", errno: 9 };
  assert.deepEqual(await program.report("descriptors"), [100, 1, 65, failure]);
});

test("ioctl takes bytes and numbers", async () => {
  const failure = { message: "ioctl: Not a tty", syscall: "ioctl", errno: 25 };
  assert.deepEqual(await program.report("ioctl"), [failure, failure]);
});

test("random bytes are random", async () => {
  assert.deepEqual(await program.report("random"), [[64, 64], true, true]);
});

test("fsync works on what is open", async (t) => {
  const failure = { message: "fsync: Bad file descriptor", syscall: "fsync", errno: 9 };
  assert.deepEqual(await program.report("sync", await freshFolder(t)), failure);
});

test("the clock takes only what is a time", async () => {
  assert.deepEqual(await program.report("clock"), {
    message: "clock_settime: Invalid argument",
    syscall: "clock_settime",
    errno: 22,
  });
});

test("bytes are written where they belong", async (t) => {
  const expected = [...Buffer.from("fb\0\0cde")];
  assert.deepEqual(await program.report("positions", await freshFolder(t)), [
    [3, 2, 1],
    expected,
    "RangeError: offset and length reach past the buffer",
  ]);
});
