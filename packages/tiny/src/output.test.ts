import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { needsRoot } from "../test/support/needs-root.ts";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("streams");
const folder = await mkdtemp(join(tmpdir(), "husk-streams-"));
after(() => Promise.all([program.remove(), rm(folder, { recursive: true, force: true })]));

const MEBIBYTES = 32;

test("32 MiB go through to a slow reader whole and in order, with little kept", async () => {
  // A shell's pipe, since Node's own are sockets; what is run is an argument, not part of the script.
  const args = ["-c", '"$0" produce "$1" | cat', program.path, String(MEBIBYTES)];
  const child = spawn("/bin/sh", args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = text(child.stderr);
  const closed = once(child, "close");
  let [next, rest] = [0, Buffer.alloc(0)];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length & ~3;
    for (let at = 0; at < whole; at += 4, next++) {
      if (bytes.readUInt32LE(at) !== next) assert.fail(`${bytes.readUInt32LE(at)} in the place of ${next}`);
    }
    rest = bytes.subarray(whole);
    await setImmediate();
  }
  assert.deepEqual([next, rest.length], [(MEBIBYTES * 1024 * 1024) / 4, 0]);
  assert.deepEqual(JSON.parse(await said), { bounded: true, waited: true });
  assert.deepEqual(await closed, [0, null]);
});

test("one that hangs up while it is not read is told of, before what it had sent", async () => {
  assert.deepEqual(await program.report("hangUp", folder), ["hung up", "last words"]);
});

test("what waits is copied, counted, sent in order, and can be forgotten", async () => {
  const sum = 131072 + 2 * 6;
  assert.deepEqual(await program.report("keeping"), [false, 65536 + 6, false, sum, false, 0]);
});

test("addresses are the kernel's own bytes", async () => {
  assert.deepEqual(await program.report("addresses"), {
    vsock: [40, 0, 0, 0, 4, 3, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0],
    any: [40, 0, 0, 0, 0, 4, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0],
    unix: [1, 0, ...Buffer.from("/tmp/ü"), 0],
    longest: 2 + 107 + 1,
    tooLong: `RangeError: socket path of 108 bytes: /${"ü".repeat(53)}x`,
  });
});

test("unix sockets listen, connect and accept", async () => {
  assert.deepEqual(await program.report("sockets", folder), {
    missing: { message: "connect: No such file or directory", syscall: "connect", errno: 2 },
    nobody: null,
    inUse: { message: "bind: Address in use", syscall: "bind", errno: 98 },
    nothing: -1,
    text: "hello",
    atEnd: 0,
    fault: 0,
    refused: 111,
  });
});

test("uevents can be listened to", async () => {
  assert.deepEqual(await program.report("uevents"), [true, "nothing"]);
});

test("a terminal has a size, echoes, and ends when its last user does", needsRoot, async () => {
  assert.deepEqual(await program.report("terminal", folder), {
    number: 0,
    next: 1,
    text: "31 97\r\nhello\r\ngot hello\r\n",
    code: 4,
    noSize: { message: "ioctl: Not a tty", syscall: "ioctl", errno: 25 },
  });
});

test("a descriptor is received as it was sent, closed on exec; what is none is an error", async () => {
  const none = { message: "recvmsg: Bad message", syscall: "recvmsg", errno: 74 };
  assert.deepEqual(await program.report("descriptors", folder), {
    before: -1,
    ...{ isOther: true, read: "through it", flags: 1 },
    ...{ without: none, ended: none },
  });
});

test("without terminals nothing stays open", async () => {
  const path = `${folder}/ptmx`;
  const failure = { message: `open ${path}: No such file or directory`, syscall: "open", errno: 2, path };
  assert.deepEqual(await program.report("noTerminals", folder), [failure, 0]);
});
