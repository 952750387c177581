import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LogEntry } from "../types/index.ts";
import { followLog } from "./follow-log.ts";
import { LogReader } from "./log-reader.ts";

const ALL = ["stdout", "stderr", "shim"] as const;

test("gives the entries of all files, the oldest first", async (context) => {
  const log = makeLog(context);
  log.write("one\n", "two\n");
  log.rotate();
  log.write("three\n");
  log.rotate();
  log.write("four\n");
  const { texts, badLines } = await readKept(log.path);
  assert.deepEqual(texts, ["one\n", "two\n", "three\n", "four\n"]);
  assert.equal(badLines, 0);
});

test("leaves out what is torn, foreign or endless, and counts it", async (context) => {
  const log = makeLog(context);
  log.write("one\n");
  const long = "x".repeat(700_000);
  const foreign = ["{}", "no JSON", "", long, '{"time":"now","stream":"stdout","offset":0,"log":"a"}'];
  const wrong = [-1, 1.5, '"1"'].map(
    (offset) => `{"time":"${TIME}","stream":"stdout","offset":${offset},"log":"a"}`,
  );
  log.append(`${[...foreign, ...wrong].join("\n")}\n`);
  log.write("two\n");
  log.append('{"time":"2026');
  const { texts, badLines } = await readKept(log.path);
  assert.deepEqual(texts, ["one\n", "two\n"]);
  assert.equal(badLines, foreign.length + wrong.length + 1);
});

test("gives bytes that are no text as they were", async (context) => {
  const log = makeLog(context);
  const bytes = Buffer.from([0xff, 0, 0x80, 10]);
  log.append(`{"time":"${TIME}","stream":"stderr","offset":7,"base64":"${bytes.toString("base64")}"}\n`);
  await using reader = await LogReader.open(log.path);
  const entries = await collect(reader.readKept());
  assert.deepEqual(
    entries.map(({ stream, offset, data, time }) => [stream, offset, [...data], time.toISOString()]),
    [["stderr", 7, [...bytes], TIME]],
  );
});

test("begins with the last lines, however they are spread over files and pieces", async (context) => {
  const log = makeLog(context);
  const lines = Array.from({ length: 3000 }, (_, index) => `line ${index} ${"x".repeat(300)}\n`);
  log.write(...lines.slice(0, 1500));
  log.rotate();
  log.write(...lines.slice(1500));
  log.append(entryText("stderr", "noise\n"));
  log.write("begun ", "and ", "ended\n", "unfinished ");
  const tail = async (count: number) => (await readKept(log.path, count)).texts;
  assert.deepEqual(await tail(0), []);
  assert.deepEqual(await tail(1), ["unfinished "]);
  assert.deepEqual(await tail(2), ["begun ", "and ", "ended\n", "unfinished "]);
  assert.deepEqual(await tail(3), [lines[2999], "begun ", "and ", "ended\n", "unfinished "]);
  assert.equal((await tail(2000))[0], lines[1002]);
  assert.equal((await tail(9000))[0], lines[0]);
});

test("follows a log across files, and never gives a line twice or torn", async (context) => {
  const log = makeLog(context);
  log.write("0\n");
  const ended = Promise.withResolvers<void>();
  await using reader = await LogReader.open(log.path);
  const got: string[] = [];
  const reading = (async () => {
    for await (const block of followLog(reader, log.directory, ended.promise)) got.push(...block.map(textOf));
  })();
  const wanted = ["0\n"];
  for (let number = 1; number <= 2000; number++) {
    wanted.push(`${number}\n`);
    const line = entryText("stdout", `${number}\n`);
    if (number % 100 === 7) {
      // Cut in two by a kill: the rest never comes, and whoever goes on writes the line anew.
      log.append(line.slice(0, 20));
      await turn();
      log.cutLast(20);
    }
    log.append(line);
    if (number % 50 === 0) log.rotate();
    if (number % 10 === 0) await turn();
  }
  ended.resolve();
  await reading;
  assert.deepEqual(got, wanted);
  assert.deepEqual([reader.badLines, reader.lostFiles], [0, 0]);
});

test("tells when files were removed before they were read", async (context) => {
  const log = makeLog(context);
  log.write("0\n");
  await using reader = await LogReader.open(log.path);
  for await (const _ of reader.readNew());
  log.write("1\n");
  for (const text of ["2\n", "3\n", "4\n"]) {
    log.rotate();
    log.write(text);
  }
  rmSync(`${log.path}.3`);
  rmSync(`${log.path}.2`);
  assert.deepEqual((await collect(reader.readNew())).map(textOf), ["1\n", "3\n", "4\n"]);
  assert.equal(reader.lostFiles, 1);
});

test("goes on to the end when the log is deleted, and then ends", async (context) => {
  const log = makeLog(context);
  log.write("0\n");
  await using reader = await LogReader.open(log.path);
  const ended = Promise.withResolvers<void>();
  const blocks = followLog(reader, log.directory, ended.promise);
  assert.deepEqual(((await blocks.next()).value as LogEntry[]).map(textOf), ["0\n"]);
  log.write("1\n");
  rmSync(log.directory, { recursive: true });
  ended.resolve();
  assert.deepEqual((await collect(blocks)).map(textOf), ["1\n"]);
});

test("passes on why nobody knows of the end, when all has been read", async (context) => {
  const log = makeLog(context);
  log.write("0\n");
  await using reader = await LogReader.open(log.path);
  const got: string[] = [];
  await assert.rejects(async () => {
    for await (const block of followLog(reader, log.directory, Promise.reject(new Error("lost"))))
      got.push(...block.map(textOf));
  }, /lost/);
  assert.deepEqual(got, ["0\n"]);
});

const TIME = "2026-11-23T01:02:03.456Z";

function entryText(stream: string, log: string): string {
  return `${JSON.stringify({ time: TIME, stream, offset: 0, log })}\n`;
}

function textOf({ data }: LogEntry): string {
  return Buffer.from(data).toString();
}

async function collect(blocks: AsyncIterable<LogEntry[]>): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const block of blocks) entries.push(...block);
  return entries;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function readKept(path: string, tail?: number): Promise<{ texts: string[]; badLines: number }> {
  await using reader = await LogReader.open(path);
  if (tail !== undefined) await reader.skipToTail(tail, ["stdout", "shim"]);
  const entries = await collect(reader.readKept());
  const streams: readonly string[] = tail === undefined ? ALL : ["stdout"];
  const texts = entries.filter(({ stream }) => streams.includes(stream)).map(textOf);
  return { texts, badLines: reader.badLines };
}

/** A log that is written as a shim does it. */
function makeLog(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "log-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "output.log");
  let size = 0;
  let files = 0;
  writeFileSync(path, "");
  const append = (text: string) => {
    appendFileSync(path, text);
    size += Buffer.byteLength(text);
  };
  return {
    directory,
    path,
    append,
    write: (...texts: string[]) => append(texts.map((text) => entryText("stdout", text)).join("")),
    cutLast(bytes: number) {
      size -= bytes;
      truncateSync(path, size);
    },
    rotate() {
      for (let number = files; number > 0; number--) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
      renameSync(path, `${path}.1`);
      writeFileSync(path, "");
      files++;
      size = 0;
    },
  };
}
