import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { TestProgram } from "../test/support/test-program.ts";

const run = promisify(execFile);
const program = await TestProgram.build("traffic");
after(() => program.remove());

const BYTES = 3_000_001;
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A port that is free at this moment. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a listener, resolves when it listens. */
async function listen(...args: string[]) {
  const port = await findPort();
  const child = spawn(program.path, ["listen", String(port), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000,
  });
  child.stderr.setEncoding("utf8");
  const [said] = (await once(child.stderr, "data")) as [string];
  assert.equal(said, "listening\n");
  return { port: String(port), output: buffer(child.stdout), report: text(child.stderr) };
}

test("what is sent one way or the other arrives, by both families", async () => {
  const { stdout } = await run(program.path, ["write", String(BYTES)], {
    encoding: "buffer",
    maxBuffer: 2 * BYTES,
  });
  assert.equal(stdout.length, BYTES);
  // No two blocks are alike.
  assert.notEqual(digest(stdout.subarray(0, 262_144)), digest(stdout.subarray(262_144, 524_288)));
  for (const host of ["127.0.0.1", "::1"]) {
    const receiver = await listen("receive", "-");
    const sent = await run(program.path, ["connect", host, receiver.port, "send", String(BYTES)]);
    assert.match(sent.stderr, new RegExp(`^${BYTES} bytes in \\d+ ms\n$`));
    assert.equal(digest(await receiver.output), digest(stdout));
    assert.match(await receiver.report, new RegExp(`^${BYTES} bytes in `));

    const sender = await listen("send", String(BYTES));
    const received = await run(program.path, ["connect", host, sender.port, "receive"]);
    assert.match(received.stderr, new RegExp(`^${BYTES} bytes in `));
    assert.equal(received.stdout, "");
  }
});
