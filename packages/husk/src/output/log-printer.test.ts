import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import type { LogEntry, LogStream } from "@husk/virtcontainers";
import { type LogForm, LogPrinter } from "./log-printer.ts";

const TIME = "2026-01-01T12:00:00.000Z";
const entry = (stream: LogStream, text: string | Buffer): LogEntry => ({
  time: new Date(TIME),
  stream,
  offset: 3,
  data: Buffer.from(text),
});

/** What goes to both outputs, each write as one. */
async function print(form: Partial<LogForm>, ...entries: LogEntry[]): Promise<string[][]> {
  const written = [[], []] as string[][];
  const outputs = written.map(
    (list) =>
      new Writable({
        write(chunk, _encoding, done) {
          list.push(chunk.toString());
          setImmediate(done);
        },
      }),
  );
  const printer = new LogPrinter({ timestamps: false, json: false, ...form }, outputs[0], outputs[1]);
  for (const one of entries) await printer.print(one);
  await printer.flush();
  return written;
}

describe("LogPrinter", () => {
  it("writes entries of a turn at once, each stream to its own output, in order", async () => {
    const written = await print({}, entry("stdout", "a\n"), entry("stdout", "b\n"), entry("stderr", "c\n"));
    assert.deepEqual(written, [["a\nb\n"], ["c\n"]]);
  });

  it("tells times before lines, but not before pieces of them", async () => {
    const written = await print(
      { timestamps: true },
      entry("stdout", "a"),
      entry("stderr", "x"),
      entry("stdout", "b\n"),
      entry("stdout", "c\n"),
    );
    assert.deepEqual(
      written.map((list) => list.join("")),
      [`${TIME} ab\n${TIME} c\n`, `${TIME} x`],
    );
  });

  it("says who speaks when it is not the command", async () => {
    assert.deepEqual(await print({}, entry("shim", "lost 5 bytes\n")), [[], ["husk: lost 5 bytes\n"]]);
  });

  it("writes entries as they are in the log, what is no text as well", async () => {
    const [lines] = await print({ json: true }, entry("stderr", "a\n"), entry("stdout", Buffer.from([255])));
    assert.deepEqual(
      lines
        ?.join("")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
      [
        { time: TIME, stream: "stderr", offset: 3, log: "a\n" },
        { time: TIME, stream: "stdout", offset: 3, base64: "/w==" },
      ],
    );
  });
});
