import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { Command, encodeStream } from "@husk/wire/hyperstart";
import { Session } from "../../test/support/session.ts";
import { makeFolder, needsStage } from "../../test/support/stage.ts";

const MIB = 1024 * 1024;

/** Bytes without a pattern that a lost or doubled piece could hide in. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash("sha256").update(`${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

describe("input", needsStage, () => {
  test("of 1 MiB, unpaced, reaches a program whole (row 5)", async () => {
    await using session = await Session.start();
    const [cat, count] = [await session.exec(["cat"]), await session.exec(["wc", "-c"])];
    const data = noise(MIB);
    await Promise.all([cat, count].map((process) => process.write(data)));
    for (const process of [cat, count]) await process.endInput();
    assert.equal((await count.result()).stdout.trim(), String(MIB));
    assert.equal((await cat.result()).code, 0);
    assert.ok(Buffer.concat(session.streams.get(cat.stdio) ?? []).equals(data));
  });

  test("waits at the host for a program that does not read, and is all there when it does", async () => {
    await using session = await Session.start();
    await using folder = await makeFolder();
    const gate = `${folder.path}/gate`;
    await (await session.exec(["mkfifo", gate])).result();
    const process = await session.exec(["/bin/sh", "-c", 'read go < "$1"; wc -c', "sh", gate]);
    const written = process.write(noise(24 * MIB)).then(() => process.endInput());
    // The control channel is another: it works meanwhile.
    assert.equal(await (await session.exec(["sleep", "0.3"])).exited(), 0);
    await session.exec(["/bin/sh", "-c", 'echo > "$1"', "sh", gate]);
    await written;
    assert.deepEqual(await process.result(), { code: 0, stdout: `${24 * MIB}\n`, stderr: "" });
    const peak = await (await session.exec(["grep", "VmHWM", "/proc/1/status"])).result();
    const kibibytes = Number(/\d+/.exec(peak.stdout));
    assert.ok(kibibytes > 100 && kibibytes < 8 * 1024, `the agent held ${kibibytes} KiB`);
  });

  test("after its end, or for a program that has closed it, is dropped (row 23)", async () => {
    await using session = await Session.start();
    const ended = await session.exec(["cat"]);
    const closed = await session.exec([
      "/bin/sh",
      "-c",
      "exec <&-; echo closed; read x < /proc/self/none; sleep 1000",
    ]);
    await closed.outputUntil((output) => output === "closed\n");
    for (let at = 0; at < 3; at++) await closed.write(noise(200_000));
    await ended.write("all");
    await ended.endInput();
    await ended.endInput();
    await ended.write("more");
    assert.deepEqual(await ended.result(), { code: 0, stdout: "all", stderr: "" });
    await session.ask(Command.SIGNALPROCESS, { container: "hyperstart", process: closed.id, signal: 9 });
    assert.equal(await closed.exited(), 137);
  });

  test("that a program has not read when it ends blocks nobody else", async () => {
    await using session = await Session.start();
    const deaf = await session.exec(["sleep", "1000"]);
    const written = deaf.write(noise(MIB));
    await session.ask(Command.SIGNALPROCESS, { container: "hyperstart", process: deaf.id, signal: 9 });
    assert.equal(await deaf.exited(), 137);
    const cat = await session.exec(["cat"]);
    await written;
    await cat.write("hello");
    await cat.endInput();
    assert.equal((await cat.result()).stdout, "hello");
  });

  test("for a stream that nobody has is answered with its end", async () => {
    await using session = await Session.start();
    const process = await session.exec(["cat"]);
    // Its standard error takes no input, so it is nobody's either.
    for (const seq of [4711, process.stderr, 0, Number.MAX_SAFE_INTEGER]) {
      await session.sendStream(encodeStream(seq, Buffer.from("x")));
      await session.until(() => session.endsOf(seq) === 1);
    }
    const tooLarge = encodeStream(5, Buffer.from("x"));
    tooLarge[0] = 0xff;
    await session.sendStream(tooLarge);
    await process.endInput();
    assert.equal((await process.result()).code, 0);
    assert.deepEqual(
      [...session.streams.keys()].sort(),
      [0, process.stdio, process.stderr, 4711, Number.MAX_SAFE_INTEGER].sort(),
    );
  });
});

describe("output", needsStage, () => {
  test("of 20 processes at once is each one's own, whole and in order", async () => {
    await using session = await Session.start();
    const counts = Array.from({ length: 20 }, (_, at) => 20_000 + at);
    const args = (count: number) => ["/bin/sh", "-c", 'seq 1 "$1"; seq 1 "$1" >&2', "sh", String(count)];
    const processes = await Promise.all(
      counts.map((count) => session.exec(args(count), { id: `p${count}` })),
    );
    for (const [at, count] of counts.entries()) {
      const expected = `${Array.from({ length: count }, (_, line) => line + 1).join("\n")}\n`;
      const result = await processes[at]?.result();
      assert.ok(result?.stdout === expected && result.stderr === expected, `process ${at}`);
    }
  });

  test("that the host does not read costs the agent nothing, and is all there later (row 8)", async () => {
    await using session = await Session.start();
    await using folder = await makeFolder();
    const bytes = 16 * MIB;
    session.streamSocket.pause();
    const process = await session.exec(["head", "-c", String(bytes), "/dev/zero"]);
    const ticks = async () => {
      const copy = await session.exec(["cp", "/proc/1/stat", `${folder.path}/stat`]);
      assert.equal(await copy.exited(), 0);
      const fields = (await readFile(`${folder.path}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    // Half a second of the agent's life, by a process of its own: an agent that spins uses 50 ticks of it.
    const before = await ticks();
    await (await session.exec(["sleep", "0.5"])).exited();
    const used = (await ticks()) - before;
    assert.ok(used < 20, `${used} ticks`);
    assert.equal(session.exits.has(`hyperstart/${process.id}`), false, "the program waits");
    session.streamSocket.resume();
    assert.equal((await process.result()).stdout.length, bytes);
  });
});
