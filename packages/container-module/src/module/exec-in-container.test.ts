import assert from "node:assert/strict";
import { buffer, text } from "node:stream/consumers";
import { test } from "node:test";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { endOf, ONCE } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import type { ContainerModule, ExecProcess } from "../types.ts";

function has(code: ErrorCode, why: RegExp) {
  return (error: unknown) => {
    assert.ok(isHuskError(error, code), String(error));
    assert.match(error.message, why);
    return true;
  };
}

/** What a program says and how it ends, when it has no input. */
async function outcome(process: ExecProcess): Promise<[stdout: string, stderr: string, exitCode: number]> {
  process.stdin.end();
  const [stdout, stderr, { exitCode }] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.wait(),
  ]);
  return [stdout, stderr, exitCode];
}

async function runSleeper(module: ContainerModule, ns: string): Promise<void> {
  const env = ["A=container", "B=container"];
  await module.run(ns, "a", BUSYBOX, [], env, undefined, [], "sleep 1000", { ...ONCE, cwd: "/tmp" });
}

for (const [runtime, program] of Object.entries(RUNTIMES)) {
  const needs = needsRuntime(program);

  test(`${runtime}: a program runs beside the container's own`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    await runSleeper(module, bench.ns);
    const command = [
      "sh",
      "-c",
      "echo $A $B $PWD; echo err >&2; ps | grep -q '[s]leep 1000' && echo seen; exit 3",
    ];
    const process = await module.exec(bench.ns, "a", command, { env: ["B=exec"], cwd: "/root" });
    const [stdout, stderr, exitCode] = await outcome(process);
    assert.deepEqual([stdout, stderr, exitCode], ["container exec /root\nseen\n", "err\n", 3]);
    assert.equal(bench.log("a"), "");
  });

  test(`${runtime}: a program has a terminal, whose size follows`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    await runSleeper(module, bench.ns);
    const script = `stty -echo; tty; stty size; read line; stty size; echo "$line" >&2; exit 5`;
    const terminal = { rows: 30, columns: 100 };
    using process = await module.exec(bench.ns, "a", ["sh", "-c", script], { terminal });
    const output = process.stdout.iterator({ destroyOnReturn: false });
    let said = "";
    while (!said.includes("100\r\n")) said += (await output.next()).value;
    process.resize({ rows: 50, columns: 200 });
    process.stdin.write("typed\n");
    for await (const data of output) said += data;
    assert.equal(said, "/dev/pts/0\r\n30 100\r\n50 200\r\ntyped\r\n");
    assert.deepEqual([await text(process.stderr), await process.wait()], ["", { exitCode: 5 }]);
    assert.throws(() => process.resize({ rows: -1, columns: 1 }), has("ERR_CONFIG_INVALID", /size\.rows/));
  });

  test(`${runtime}: programs have input, and end by signals and deadlines`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    await runSleeper(module, bench.ns);
    const exec = (command: string, options = {}) =>
      module.exec(bench.ns, "a", ["sh", "-c", command], options);
    const big = Buffer.alloc(3_000_000, "husk");
    const cat = await exec("exec cat");
    const received = buffer(cat.stdout);
    cat.stdin.end(big);
    assert.ok((await received).equals(big));
    assert.deepEqual(await cat.wait(), { exitCode: 0 });
    assert.deepEqual((await outcome(await exec("kill -9 $$")))[2], 137);
    const slow = await exec("exec sleep 1000", { timeoutMs: 100 });
    await assert.rejects(slow.wait(), has("ERR_TIMEOUT", /did not end within 100 ms and was killed/));
    const controller = new AbortController();
    const aborted = await exec("exec sleep 1001", { signal: controller.signal });
    controller.abort();
    await assert.rejects(aborted.wait(), has("ERR_ABORTED", /aborted/));
    (await exec("exec sleep 1002"))[Symbol.dispose]();
    for (let left = "1002"; left.includes("100"); ) {
      [left] = await outcome(await exec("ps | grep '[s]leep 100[12]'"));
    }
  });

  test(`${runtime}: what cannot be run is told`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    await runSleeper(module, bench.ns);
    const exec = (args: string[], options = {}) => module.exec(bench.ns, "a", args, options);
    await assert.rejects(exec(["/no/such"]), has("ERR_RUNTIME", /no such|not found/i));
    await assert.rejects(exec([]), has("ERR_ENTRYPOINT_INVALID", /no words/));
    await assert.rejects(exec(["a"], { env: ["A"] }), has("ERR_CONFIG_INVALID", /^env: /));
    await assert.rejects(exec(["a", "x".repeat(70_000)]), has("ERR_CONFIG_INVALID", /more than 65536 bytes/));
    await assert.rejects(exec(["a"], { cwd: "tmp" }), has("ERR_CONFIG_INVALID", /^options\.cwd: /));
    await assert.rejects(module.exec(bench.ns, "b", ["true"]), has("ERR_CONTAINER_NOT_FOUND", /"b"/));
    await module.run(bench.ns, "b", BUSYBOX, [], [], undefined, [], "true", ONCE);
    await endOf(module, bench.ns, "b");
    await assert.rejects(module.exec(bench.ns, "b", ["true"]), has("ERR_STATE_INVALID", /"b"/));
  });
}

test("who does not read holds up a program, and loses nothing", needsRuntime(RUNTIMES.runc), async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  await runSleeper(module, bench.ns);
  const process = await module.exec(bench.ns, "a", ["dd", "if=/dev/zero", "bs=64k", "count=100"]);
  // Its output is more than pipes and buffers hold, so that it cannot have ended.
  const ended = process.wait();
  const first = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 300, "held up"))]);
  assert.equal(first, "held up");
  process.stdin.end();
  const [stdout] = await Promise.all([buffer(process.stdout), buffer(process.stderr)]);
  assert.deepEqual([stdout.length, await ended], [6_553_600, { exitCode: 0 }]);
});
