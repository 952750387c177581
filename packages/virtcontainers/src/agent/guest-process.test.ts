import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { HuskError } from "../errors/index.ts";
import { GuestProcess, type ProcessChannel } from "./guest-process.ts";

class RecordingChannel implements ProcessChannel {
  readonly said: string[] = [];
  resumed = 0;
  writeStdin(data: Buffer, done: () => void): void {
    this.said.push(data.toString());
    done();
  }
  closeStdin(): void {
    this.said.push("<closed>");
  }
  resumeOutput(): void {
    this.resumed += 1;
  }
  async signal(signal: number): Promise<void> {
    this.said.push(`<signal ${signal}>`);
  }
  async resize(rows: number, columns: number): Promise<void> {
    this.said.push(`<${rows}x${columns}>`);
  }
}

const attach = (terminal = false) => new GuestProcess({ terminal, attached: true });

test("what is written before the start is delivered after it, in order", async () => {
  const process = attach();
  const channel = new RecordingChannel();
  process.stdin.write("one ");
  process.stdin.write("two ");
  process.stdin.end("three");
  assert.deepEqual(channel.said, []);
  process.start(channel);
  await new Promise((resolve) => process.stdin.once("finish", resolve));
  assert.equal(channel.said.join(""), "one two three<closed>");
  process.endOutput();
  process.exit(0);
});

test("it has ended when the end of its output and its exit status have come, in any order", async () => {
  for (const order of ["exit", "output"] as const) {
    const process = attach();
    process.start(new RecordingChannel());
    process.pushOutput("stdout", Buffer.from("out"));
    process.pushOutput("stderr", Buffer.from("err"));
    if (order === "exit") process.exit(3);
    else process.endOutput();
    assert.equal(process.finished, false);
    if (order === "exit") process.endOutput();
    else process.exit(3);
    assert.equal(process.finished, true);
    assert.deepEqual(await process.wait(), { exitCode: 3 });
    assert.equal(await text(process.stdout), "out");
    assert.equal(await text(process.stderr ?? process.stdout), "err");
  }
});

test("a reader that does not read is told of, and asks for more when it does", () => {
  const process = attach();
  const channel = new RecordingChannel();
  process.start(channel);
  assert.equal(process.pushOutput("stdout", Buffer.alloc(1)), true);
  assert.equal(process.pushOutput("stdout", Buffer.alloc(1 << 20)), false);
  const before = channel.resumed;
  process.stdout.read();
  assert.ok(channel.resumed > before);
  process.endOutput();
  process.exit(0);
});

test("without attachment, stdin is closed and output is dropped; a terminal's stdin stays open", () => {
  const process = new GuestProcess({ terminal: false, attached: false });
  const channel = new RecordingChannel();
  process.start(channel);
  assert.deepEqual(channel.said, ["<closed>"]);
  assert.equal(process.pushOutput("stdout", Buffer.alloc(1 << 20)), true);
  const terminal = new GuestProcess({ terminal: true, attached: false });
  const other = new RecordingChannel();
  terminal.start(other);
  assert.deepEqual(other.said, []);
  assert.equal(terminal.stderr, undefined);
});

test("one that is lost fails whoever waits, and no stream throws by itself", async () => {
  const lost = new HuskError("ERR_VM_LOST", "gone");
  const process = attach();
  process.start(new RecordingChannel());
  const waiting = process.wait();
  process.stdin.write("goes nowhere");
  process.fail(lost);
  await assert.rejects(waiting, lost);
  await assert.rejects(process.wait(), lost);
  await assert.rejects(text(process.stdout));
  process.fail(new HuskError("ERR_QMP", "later"));
  process.exit(0);
  await assert.rejects(process.wait(), lost);
  const listened = attach();
  const errors: unknown[] = [];
  listened.stdout.once("error", (error) => errors.push(error));
  listened.fail(lost);
  await new Promise((resolve) => listened.stdout.once("close", resolve));
  assert.deepEqual(errors, [lost]);
});

test("signals and sizes go to a process that runs", async () => {
  const process = attach(true);
  await process.signal(2);
  const channel = new RecordingChannel();
  process.start(channel);
  await process.signal(15);
  await process.resize(24, 80);
  assert.deepEqual(channel.said, ["<signal 15>", "<24x80>"]);
  process.endOutput();
  process.exit(0);
});
