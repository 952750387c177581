import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";

const programs = await TestPrograms.build("fake-shim");
after(() => programs.remove());

test("output goes to stdout and stderr, input to the process, and its exit code is the shim's", async () => {
  using shim = new FakeShim(programs);
  const [stdout, stderr] = [shim.readAll("stdout"), shim.readAll("stderr")];
  assert.deepEqual(await shim.next("start"), { start: { stdout: 0, stderr: 0 } });
  shim.order({ taking: true }, { output: "stdout", text: "out\n" }, { output: "stderr", text: "err\n" });
  assert.deepEqual(await shim.next("written"), { written: "stdout", bytes: 4 });
  assert.deepEqual(await shim.next("written"), { written: "stderr", bytes: 4 });
  shim.process.stdin?.write("hi");
  assert.deepEqual(await shim.next("stdin"), { stdin: "6869" });
  shim.process.stdin?.end();
  await shim.next("closeStdin");
  shim.order({ end: "stdout" }, { exit: 7 });
  await shim.next("close");
  assert.equal(await shim.ended, 7);
  assert.deepEqual([await stdout, await stderr], ["out\n", "err\n"]);
  assert.deepEqual(shim.rest, [], "nothing was told twice");
});

/** Bytes of the lines that the test program makes for an amount of bytes. */
const LINE_BYTES = 82;

test("who does not read holds the process up, not the shim, and loses nothing", async () => {
  using shim = new FakeShim(programs);
  const window = 512 * 1024;
  shim.order({ produce: 8_000_000, window });
  await shim.next("start");
  // It still does what it is told, with its output stuck.
  process.kill(shim.process.pid ?? 0, "SIGUSR1");
  assert.deepEqual(await shim.next("signal"), { signal: 10 });
  shim.order({ output: "stderr", text: "meanwhile\n" });
  await shim.next("written");
  const status = await readFile(`/proc/${shim.process.pid}/smaps_rollup`, "utf8");
  const anonymous = Number(/^Anonymous:\s+(\d+) kB/m.exec(status)?.[1]);
  assert.ok(anonymous < 3000, `${anonymous} kB`);
  assert.deepEqual(shim.rest, [], "not all is written");

  const lines = (await readUntil(shim, Math.floor(8_000_000 / LINE_BYTES) * LINE_BYTES)).split("\n");
  assert.equal(lines.pop(), "");
  for (const [at, line] of lines.entries()) assert.equal(Number(line.slice(0, 7)), at);
  await shim.next("produced");
  shim.order({ exit: 0 });
  assert.equal(await shim.ended, 0);
});

async function readUntil(shim: FakeShim, bytes: number): Promise<string> {
  let [text, stdout] = ["", shim.process.stdout];
  stdout?.setEncoding("latin1");
  while (text.length < bytes && stdout) {
    const piece = stdout.read() as string | null;
    if (piece === null) await once(stdout, "readable");
    else text += piece;
  }
  return text;
}

test("with nobody to read an output the process gets SIGPIPE, and the rest is dropped", async () => {
  using shim = new FakeShim(programs);
  shim.process.stdout?.destroy();
  await once(shim.process.stdout ?? shim.process, "close");
  await shim.next("start");
  shim.order({ output: "stdout", text: "into the void\n" });
  assert.deepEqual(await shim.next("signal"), { signal: 13 });
  await shim.next("written");
  shim.order({ produce: 1_000_000 });
  await shim.next("produced");
  shim.order({ exit: 141 });
  assert.equal(await shim.ended, 141);
  assert.ok(!shim.rest.some((report) => "signal" in report), "it is told once");
});

test("a shim whose output nobody takes ends by a signal once its process has ended", async () => {
  using shim = new FakeShim(programs);
  await shim.next("start");
  shim.order({ produce: 4_000_000, window: 4_000_000 });
  process.kill(shim.process.pid ?? 0, "SIGHUP");
  assert.deepEqual(await shim.next("signal"), { signal: 1 });
  await waitForState(shim);
  shim.order({ exit: 9 });
  await waitForState(shim);
  process.kill(shim.process.pid ?? 0, "SIGTERM");
  assert.equal(await shim.ended, 9);
});

/** Waits until the shim has nothing to do. */
async function waitForState({ process: { pid } }: FakeShim): Promise<void> {
  for (let still = 0; still < 3; ) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    still = stat.includes(") S ") ? still + 1 : 0;
    await setTimeout(20);
  }
}

const ends: [what: string, orders: object[], code: number, text: RegExp][] = [
  ["a link that is refused", [{ refused: "no such token" }], 1, /^fake-shim: no such token\n$/],
  ["a lost process", [{ lost: "the proxy is gone" }], 255, /^fake-shim: the proxy is gone\n$/],
  ["an error of ours", [{ crash: true }], 255, /^fake-shim: nobody expected this\n +at /],
  ["a process that a signal ended", [{ exit: 137 }], 137, /^$/],
];
for (const [what, orders, code, text] of ends) {
  test(`${what} ends the shim with ${code}`, async () => {
    using shim = new FakeShim(programs);
    const stderr = shim.readAll("stderr");
    shim.order(...orders);
    assert.equal(await shim.ended, code);
    assert.match(await stderr, text);
  });
}

test("without -proxy-exit-code it ends with 0", async () => {
  using shim = new FakeShim(programs, { flags: ["-proxy-exit-code=false"] });
  shim.order({ exit: 3 });
  assert.equal(await shim.ended, 0);
});

test("a reader sees the end of stdout although the process goes on", async () => {
  using shim = new FakeShim(programs);
  const stdout = shim.readAll("stdout");
  shim.order({ output: "stdout", text: "all\n" }, { end: "stdout" });
  assert.equal(await stdout, "all\n");
  shim.order({ output: "stderr", text: "more\n" }, { exit: 0 });
  assert.equal(await shim.readAll("stderr"), "more\n");
  assert.equal(await shim.ended, 0);
});

test("files, and pipes and sockets that others have too, are left as they were found", async () => {
  const [input, output] = [join(programs.folder, "input"), join(programs.folder, "output")];
  await writeFile(input, "x".repeat(100_000));
  await writeFile(output, "before\n");
  const file = await open(input, "r");
  const append = await open(output, "a");
  const show = "grep flags /proc/self/fdinfo/0 /proc/self/fdinfo/2 >&2";
  const runner = ["/bin/sh", "-c", `${show}; "$@"; code=$?; ${show}; exit $code`, "sh"];
  using shim = new FakeShim(programs, { runner, stdio: [file.fd, append.fd, "pipe"] });
  const stderr = shim.readAll("stderr");
  shim.order({ taking: true }, { output: "stdout", text: "after\n" });
  await shim.next("written");
  await shim.next("closeStdin");
  shim.order({ exit: 5 });
  assert.equal(await shim.ended, 5);
  const flags = (await stderr).trim().split("\n");
  assert.deepEqual(flags.slice(2), flags.slice(0, 2));
  assert.equal(await readFile(output, "utf8"), "before\nafter\n");
  const bytes = shim.rest.flatMap((report) => ("stdin" in report ? [String(report.stdin).length / 2] : []));
  assert.equal(
    bytes.reduce((sum, count) => sum + count, 0),
    100_000,
  );
  await Promise.all([file.close(), append.close()]);
});

test("one socket as input, output and error output stays non-blocking until the last of them is let go", async () => {
  const show = "grep flags /proc/self/fdinfo/0";
  const runner = ["/bin/sh", "-c", `exec <&1 2>&1; ${show}; "$@"; ${show}`, "sh"];
  using shim = new FakeShim(programs, { runner });
  const stdout = shim.process.stdout as Socket;
  await shim.next("start");
  stdout.end();
  await shim.next("closeStdin");
  shim.order({ output: "stdout", text: "out\n" }, { end: "stdout" });
  shim.order({ output: "stderr", text: `${"x".repeat(2_000_000)}\n` });
  // It would not hear of that, blocked in a write.
  await waitForState(shim);
  process.kill(shimOf(shim), "SIGUSR1");
  await shim.next("signal");
  shim.order({ exit: 0 });
  const lines = (await shim.readAll("stdout")).trim().split("\n");
  assert.deepEqual([lines[1], lines.length], ["out", 4]);
  assert.ok(lines[0]?.startsWith("flags:") && lines[3] === lines[0]);
});

/** The shim that a shell runs. */
function shimOf({ process: { pid } }: FakeShim): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

test("in a pipeline of a shell nothing becomes non-blocking for the others", async () => {
  const script = 'cat | { "$@"; grep flags /proc/self/fdinfo/0 /proc/self/fdinfo/1; } | cat';
  using shim = new FakeShim(programs, { runner: ["/bin/sh", "-c", script, "sh"] });
  const stdout = shim.readAll("stdout");
  await shim.next("start");
  shim.order({ taking: true }, { output: "stdout", text: "from the process\n" });
  shim.process.stdin?.end("to the process");
  await shim.next("stdin");
  await shim.next("closeStdin");
  shim.order({ exit: 0 });
  const [line, ...flags] = (await stdout).trim().split("\n");
  assert.equal(line, "from the process");
  for (const flag of flags) assert.equal(Number.parseInt(flag.split(/\s+/)[1] ?? "", 8) & 0o4000, 0, flag);
  assert.equal(flags.length, 2);
});

test("input waits while the process does not take it", async () => {
  using shim = new FakeShim(programs);
  await shim.next("start");
  shim.process.stdin?.write("first");
  assert.deepEqual(await shim.next("stdin"), { stdin: Buffer.from("first").toString("hex") });
  shim.process.stdin?.end("second");
  await waitForState(shim);
  assert.deepEqual(shim.rest, []);
  shim.order({ taking: true });
  assert.deepEqual(await shim.next("stdin"), { stdin: Buffer.from("second").toString("hex") });
  await shim.next("closeStdin");
});
