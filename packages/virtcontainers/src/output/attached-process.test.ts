import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { type AttachHello, type ExitRecord, encodeExit, encodeOutput } from "@husk/wire/attach";
import { startFakeShim } from "../testing/fake-shim.ts";
import { AttachConnection } from "./attach-connection.ts";
import { AttachedProcess } from "./attached-process.ts";

const TIME = "2026-11-23T01:02:03.456Z";
const LIMITS = { timeoutMs: 30_000 };

test("carries input, output, sizes and signals, and tells the exit status", async (context) => {
  const { shim, attach } = await makeBench(context);
  const attached = await attach();
  attached.stdin.write("hello");
  await attached.resize(24, 80);
  await attached.signal(15);
  attached.stdin.end();
  await shim.asked(5);
  assert.deepEqual(shim.requests, [
    { kind: "subscribe", output: true },
    { kind: "stdin", data: new Uint8Array(Buffer.from("hello")) },
    { kind: "resize", rows: 24, columns: 80 },
    { kind: "signal", signal: 15 },
    { kind: "stdin", data: new Uint8Array() },
  ]);
  shim.send(
    encodeOutput("stdout", 0, Buffer.from("out")),
    encodeOutput("stderr", 0, Buffer.from("err")),
    encodeExit({ exitCode: 7, time: TIME }),
  );
  for (const client of shim.clients) client.end();
  assert.ok(attached.stderr);
  const ends = await Promise.all([text(attached.stdout), text(attached.stderr), attached.wait()]);
  assert.deepEqual(ends, ["out", "err", { exitCode: 7 }]);
});

test("passes much input on in order, however long its pieces are", async (context) => {
  const { shim, attach } = await makeBench(context);
  const attached = await attach();
  const input = Buffer.alloc(300_000, "abcdefg");
  attached.stdin.end(input);
  await shim.asked(1 + Math.ceil(input.length / 65_536) + 1);
  const pieces = shim.requests.flatMap((request) => (request.kind === "stdin" ? [request.data] : []));
  assert.deepEqual(Buffer.concat(pieces), input);
  attached.detach();
});

test("sends nothing to a process without input, and has no stderr of a terminal", async (context) => {
  const { shim, attach } = await makeBench(context, { terminal: true, interactive: false });
  const attached = await attach();
  assert.equal(attached.stderr, undefined);
  attached.stdin.end("lost");
  await new Promise((resolve) => attached.stdin.once("finish", resolve));
  await attached.resize(1, 2);
  await shim.asked(2);
  assert.deepEqual(
    shim.requests.map(({ kind }) => kind),
    ["subscribe", "resize"],
  );
  attached.detach();
});

test("asks elsewhere when the shim goes without telling, or does not know", async (context) => {
  const asked: (ExitRecord | undefined)[] = [];
  const bench = await makeBench(context);
  const explain = async (record: ExitRecord | undefined) => {
    asked.push(record);
    return { exitCode: 5 };
  };
  const first = await bench.attach(explain);
  await bench.shim.asked(1);
  for (const client of bench.shim.clients) client.destroy();
  assert.deepEqual(await first.wait(), { exitCode: 5 });
  const second = await bench.attach(explain);
  await bench.shim.asked(2);
  const lost = { lost: "gone", time: TIME };
  bench.shim.send(encodeExit(lost));
  for (const client of bench.shim.clients) client.end();
  assert.deepEqual(await second.wait(), { exitCode: 5 });
  assert.deepEqual(asked, [undefined, lost]);
});

test("lets go without the end of input", async (context) => {
  const { shim, attach } = await makeBench(context);
  const attached = await attach();
  await shim.asked(1);
  attached.detach();
  await assert.rejects(attached.wait(), { code: "ERR_ABORTED" });
  assert.equal(await text(attached.stdout), "");
  assert.deepEqual(
    shim.requests.map(({ kind }) => kind),
    ["subscribe"],
  );
});

test("closes the connection to what does not keep to the protocol", async (context) => {
  const { shim, attach } = await makeBench(context);
  const attached = await attach();
  await shim.asked(1);
  shim.send(Buffer.alloc(8, 0xff));
  await assert.rejects(attached.wait(), { code: "ERR_SHIM_LOST" });
});

test("holds the connection up while nobody reads, and goes on when somebody does", async (context) => {
  const { shim, attach } = await makeBench(context);
  const attached = await attach();
  await shim.asked(1);
  const piece = Buffer.alloc(60_000, "x");
  const count = 100;
  for (let index = 0; index < count; index++) shim.send(encodeOutput("stdout", index * piece.length, piece));
  shim.send(encodeExit({ exitCode: 0, time: TIME }));
  for (const client of shim.clients) client.end();
  await new Promise((resolve) => attached.stdout.once("readable", resolve));
  assert.ok(attached.stdout.readableLength < piece.length * count);
  attached.stderr?.resume();
  assert.equal((await text(attached.stdout)).length, piece.length * count);
  assert.deepEqual(await attached.wait(), { exitCode: 0 });
});

async function makeBench(context: TestContext, changes: Partial<AttachHello> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "att-"));
  const path = join(directory, "s");
  const positions = { stdout: 0, stderr: 0 };
  const shim = await startFakeShim(path, {
    containerId: "c",
    terminal: false,
    interactive: true,
    positions,
    ...changes,
  });
  context.after(async () => {
    await shim.close();
    rmSync(directory, { recursive: true });
  });
  const unasked = () => Promise.reject(new Error("nobody was to be asked"));
  const attach = async (
    explain = unasked as (record: ExitRecord | undefined) => Promise<{ exitCode: number }>,
  ) => {
    const connection = await AttachConnection.open(path, LIMITS);
    return new AttachedProcess(connection, await connection.hello(), explain);
  };
  return { shim, attach };
}
