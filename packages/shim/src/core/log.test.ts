import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, mkdir, readdir, readFile, stat, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";
import { bytesOf, type Entry, joinStream, readEntries } from "../../test/support/log-entries.ts";

const programs = await TestPrograms.build("fake-shim");
after(() => programs.remove());

const run = promisify(execFile);
/** Bytes of the lines that the test program makes. */
const LINE_BYTES = 82;

let logs = 0;
/** A directory for one log, and the log's path. */
async function makeLog(): Promise<{ folder: string; path: string }> {
  const folder = join(programs.folder, `log-${++logs}`);
  await mkdir(folder);
  return { folder, path: join(folder, "output.log") };
}

/** The entries of all files of a log, the oldest first. */
async function readAllFiles(folder: string): Promise<Entry[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("output.log"));
  const ages = names.map((name) => Number(name.split(".")[2] ?? 0)).sort((a, b) => b - a);
  const paths = ages.map((age) => join(folder, age === 0 ? "output.log" : `output.log.${age}`));
  return (await Promise.all(paths.map(readEntries))).flat();
}

test("output is written as lines of JSON, and input is closed", async () => {
  const { path } = await makeLog();
  const before = new Date();
  using shim = new FakeShim(programs, { flags: ["-log-file", path] });
  await shim.next("closeStdin");
  shim.order({ output: "stdout", text: 'one "line"\ntwo\n\nthree' }, { output: "stderr", text: "é\n" });
  assert.deepEqual(await shim.next("written"), { written: "stdout", bytes: 21 });
  shim.order({ output: "stdout", text: " goes on\n" }, { output: "stdout", hex: "ff00fe0a" }, { exit: 0 });
  assert.equal(await shim.ended, 0);
  const entries = await readEntries(path);
  const shown = entries.map(({ stream, offset, log, base64 }) => [stream, offset, log ?? { base64 }]);
  assert.deepEqual(shown, [
    ["stdout", 0, 'one "line"\n'],
    ["stdout", 11, "two\n"],
    ["stdout", 15, "\n"],
    ["stdout", 16, "three"],
    ["stderr", 0, "é\n"],
    ["stdout", 21, " goes on\n"],
    ["stdout", 30, { base64: "/wD+Cg==" }],
  ]);
  for (const { time } of entries) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(new Date(time) >= before && new Date(time) <= new Date());
  }
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("a character that comes in two pieces is one, and is written before its piece is let go", async () => {
  const { path } = await makeLog();
  using shim = new FakeShim(programs, { flags: ["-log-file", path] });
  shim.order({ output: "stdout", hex: "61e282" }, { output: "stderr", text: "meanwhile\n" });
  assert.deepEqual(await shim.next("written"), { written: "stderr", bytes: 10 });
  shim.order({ output: "stdout", hex: "ac0a" });
  assert.deepEqual(await shim.next("written"), { written: "stdout", bytes: 3 });
  shim.order({ output: "stdout", hex: "e282" }, { end: "stdout" });
  await shim.next("written");
  assert.deepEqual(await shim.next("written"), { written: "stdout", bytes: 2 });
  const entries = (await readEntries(path)).filter(({ stream }) => stream === "stdout");
  assert.deepEqual(
    entries.map(({ log, base64 }) => log ?? { base64 }),
    ["a", "€\n", { base64: "4oI=" }],
  );
});

test("a long line is cut into pieces of 16 KiB, at characters", async () => {
  const { path } = await makeLog();
  using shim = new FakeShim(programs, { flags: ["-log-file", path] });
  const text = `${"€".repeat(20_000)}\n`;
  shim.order({ output: "stdout", text }, { exit: 0 });
  assert.equal(await shim.ended, 0);
  const entries = await readEntries(path);
  assert.equal(joinStream(entries, "stdout").toString(), text);
  assert.ok(entries.every((entry) => entry.base64 === undefined && bytesOf(entry).length <= 16_384));
});

test("files are changed when they are full, and no more are kept than were asked for", async () => {
  const { folder, path } = await makeLog();
  const flags = ["-log-file", path, "-log-max-bytes", "300000", "-log-max-files", "3"];
  using shim = new FakeShim(programs, { flags });
  shim.order({ output: "stderr", text: "early\n" }, { produce: 3_000_000 });
  await shim.next("produced");
  shim.order({ exit: 0 });
  assert.equal(await shim.ended, 0);
  const names = (await readdir(folder)).sort();
  assert.deepEqual(names, ["output.log", "output.log.1", "output.log.2"]);
  for (const name of names) {
    const { size } = await stat(join(folder, name));
    assert.ok(size <= 300_000 + 128 * 1024, `${name} has ${size} bytes`);
    const [first] = await readEntries(join(folder, name));
    assert.deepEqual(first?.positions, { stdout: first?.offset, stderr: 6 }, "what came before is told");
  }
  const lines = joinStream(await readAllFiles(folder), "stdout")
    .toString()
    .split("\n");
  assert.equal(Number(lines.at(-2)?.slice(0, 7)), Math.floor(3_000_000 / LINE_BYTES) - 1);

  // Who comes after it knows of stderr, although its entry is gone.
  using next = new FakeShim(programs, { flags });
  const position = Math.floor(3_000_000 / LINE_BYTES) * LINE_BYTES;
  assert.deepEqual(await next.next("start"), { start: { stdout: position, stderr: 6 } });
});

test("one file alone begins anew", async () => {
  const { folder, path } = await makeLog();
  const flags = ["-log-file", path, "-log-max-bytes", "100000", "-log-max-files", "1"];
  using shim = new FakeShim(programs, { flags });
  shim.order({ produce: 1_000_000 });
  await shim.next("produced");
  assert.deepEqual(await readdir(folder), ["output.log"]);
});

test("a shim that comes back goes on behind what is in the log, and cuts a torn line off", async () => {
  const { path } = await makeLog();
  const flags = ["-log-file", path];
  using first = new FakeShim(programs, { flags });
  first.order({ output: "stdout", text: "one\ntwo €\n" }, { output: "stderr", hex: "ff0a" });
  await first.next("written");
  await first.next("written");
  first.process.kill("SIGKILL");
  await first.ended;
  await appendFile(path, '{"time":"2026-11-23T01:02:03.456Z","stream":"stdout","offset":12,"lo');
  using second = new FakeShim(programs, { flags });
  assert.deepEqual(await second.next("start"), { start: { stdout: 12, stderr: 2 } });
  second.order({ output: "stdout", text: "three\n" }, { exit: 0 });
  assert.equal(await second.ended, 0);
  assert.equal(joinStream(await readEntries(path), "stdout").toString(), "one\ntwo €\nthree\n");
});

test("a shim that is killed while it logs loses nothing and writes nothing twice", async () => {
  const { folder, path } = await makeLog();
  const flags = ["-log-file", path, "-log-max-bytes", "200000", "-log-max-files", "1000"];
  let expected = "";
  for (let kill = 0; kill < 8; kill++) {
    using shim = new FakeShim(programs, { flags });
    const { start } = (await shim.next("start")) as { start: { stdout: number } };
    const have = joinStream(await readAllFiles(folder).catch(() => []), "stdout").toString();
    assert.equal(have.length, start.stdout, "it knows exactly what is there");
    assert.ok(have.startsWith(expected));
    // What is written was told, what was told is written; here each life writes the same lines again.
    expected = have;
    const changes = waitForChanges(folder, 1 + 3 * kill);
    shim.order({ produce: 40_000_000 });
    await changes;
    shim.process.kill("SIGKILL");
    await shim.ended;
    const entries = await readWhole(folder);
    const written = joinStream(entries, "stdout").toString();
    assert.ok(written.startsWith(expected));
    checkLines(written.slice(expected.length));
  }
  assert.ok(expected.length > 0);
});

/** Resolves when a directory has been written to so many times, as far as they are told apart. */
async function waitForChanges(folder: string, count: number): Promise<void> {
  let seen = 0;
  for await (const _ of watch(folder)) if (++seen >= count) return;
}

/** Numbered lines from 0 on. */
function checkLines(text: string): void {
  for (const [at, line] of text.split("\n").slice(0, -1).entries())
    if (Number(line.slice(0, 7)) !== at) assert.fail(`"${line}" in the place of line ${at}`);
}

/** All entries, where the last line may be torn. */
async function readWhole(folder: string): Promise<Entry[]> {
  const path = join(folder, "output.log");
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  await writeFile(path, bytes.subarray(0, bytes.lastIndexOf(10) + 1));
  return readAllFiles(folder);
}

test("what others wrote into the log is passed over", async () => {
  const { path } = await makeLog();
  const foreign = ["{}", "null", "no JSON", "", '{"stream":"stdout"}', "x".repeat(200_000)];
  const own = '{"time":"2026-11-23T01:02:03.456Z","stream":"stdout","offset":5,"log":"ab\\n"}';
  await writeFile(path, `${[own, ...foreign].join("\n")}\n`);
  using shim = new FakeShim(programs, { flags: ["-log-file", path] });
  assert.deepEqual(await shim.next("start"), { start: { stdout: 8, stderr: 0 } });
});

const needsRoot = { skip: process.getuid?.() === 0 ? false : "SKIPPED: needs root (a small file system)" };

test("on a full disk the process goes on, and the log tells what it lacks", needsRoot, async () => {
  const { folder } = await makeLog();
  await run("mount", ["-t", "tmpfs", "-o", "size=512k", "none", folder]);
  try {
    const path = join(folder, "output.log");
    using shim = new FakeShim(programs, { flags: ["-log-file", path] });
    shim.order({ produce: 2_000_000 });
    await shim.next("produced");
    assert.ok((await stat(path)).size > 200_000);
    // A long line finds no room now.
    await writeFile(join(folder, "filler"), "x".repeat(512_000)).catch(() => {});
    shim.order({ output: "stderr", text: `${"y".repeat(9_999)}\n` });
    await shim.next("written");

    await run("mount", ["-o", "remount,size=4m", folder]);
    shim.order({ output: "stdout", text: "there is room\n" });
    await shim.next("written");
    const entries = await readEntries(path);
    const made = Math.floor(2_000_000 / LINE_BYTES) * LINE_BYTES;
    const [loss, last] = entries.slice(-2);
    assert.equal(loss?.stream, "shim");
    assert.match(loss?.log ?? "", /^\d+ bytes of output were lost: write: No space left on device\n$/);
    assert.deepEqual(loss?.positions, { stdout: made, stderr: 10_000 });
    assert.deepEqual([last?.offset, last?.log], [made, "there is room\n"]);
    const sum = (list: readonly number[]) => list.reduce((total, bytes) => total + bytes, 0);
    const there = sum(entries.flatMap((entry) => (entry.stream === "shim" ? [] : [bytesOf(entry).length])));
    const lost = sum(
      entries.flatMap(({ stream, log }) => (stream === "shim" ? [Number.parseInt(log ?? "", 10)] : [])),
    );
    assert.equal(there + lost, made + 10_000 + "there is room\n".length);
  } finally {
    await run("umount", [folder]);
  }
});

test("with a log a shim tells on stderr what is going on, if it is asked to", async () => {
  const { path } = await makeLog();
  using shim = new FakeShim(programs, { flags: ["-log-file", path, "-debug"] });
  const stderr = shim.readAll("stderr");
  await shim.next("start");
  process.kill(shim.process.pid ?? 0, "SIGUSR2");
  await shim.next("signal");
  shim.order({ exit: 3 });
  const said = (await stderr).trimEnd().split("\n");
  for (const line of said) assert.match(line, /^fake-shim: [0-9TZ:.-]{24} web: /);
  assert.deepEqual(
    said.map((line) => line.split(" web: ")[1]),
    ["goes on at byte 0 of stdout and 0 of stderr", "signal 12", "the process has ended with 3"],
  );
});

test("a log that cannot be opened is an error, and nothing begins", async () => {
  using shim = new FakeShim(programs, { flags: ["-log-file", join(programs.folder, "none", "output.log")] });
  assert.match(await shim.readAll("stderr"), /^fake-shim: open .*output\.log: No such file or directory\n$/);
  assert.equal(await shim.ended, 1);
  assert.deepEqual(shim.rest, []);
});
