import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { after, type TestContext, test } from "node:test";
import { ProxyBench } from "@husk/proxy/bench";
import { Command } from "@husk/wire/hyperstart";
import { makeResidents } from "./build.ts";

const folder = mkdtempSync(join(tmpdir(), "husk-resident-"));
after(() => rmSync(folder, { recursive: true, force: true }));
await makeResidents(folder, join(import.meta.dirname, "main.ts"), () => {});
const programs = join(folder, "resident");

const DEADLINE_MS = 120_000;

/** A proxy with a registered VM. */
async function begin(test: TestContext) {
  const bench = await ProxyBench.start(test, { keepsState: true, program: join(programs, "cc-proxy") });
  const { caller } = await bench.register();
  bench.agent.saysReady = false;
  // Known before the answer: the shim's input, be it its end, may come right behind that.
  bench.agent.answers.set(Command.EXECCMD, (payload) => {
    bench.agent.input.set(JSON.parse(payload).process.stdio, "");
    return undefined;
  });
  const proxyCommand = join(bench.folder, "proxy.json");
  const argv = [
    bench.program,
    "-uri",
    `unix://${bench.path}`,
    "-log",
    "debug",
    "-state-file",
    bench.stateFile,
  ];
  const files = { lock: join(bench.folder, "proxy.lock"), log: join(bench.folder, "proxy.log") };
  writeFileSync(proxyCommand, JSON.stringify({ argv, socket: bench.path, ...files }));
  return { bench, caller, proxyCommand, lock: files.lock };
}

type Begun = Awaited<ReturnType<typeof begin>>;

/** A process and its shim, with or without being restarted. */
async function startShim({ bench, caller, proxyCommand }: Begun, ...more: string[]) {
  const [token = ""] = await caller.attach(1);
  const start = () => {
    const args = [
      "-c",
      "web",
      "-t",
      token,
      "-u",
      `unix://${bench.path}`,
      "-proxy-command",
      proxyCommand,
      ...more,
    ];
    return spawn(join(programs, "cc-shim"), args, { timeout: DEADLINE_MS, killSignal: "SIGKILL" });
  };
  const shim = start();
  await caller.hyper("execcmd", { container: "web", process: { id: token, args: ["x"] } }, [token]);
  const [last] = bench.agent.requests(Command.EXECCMD).slice(-1) as [{ process: { stdio: number } }];
  const seq = last.process.stdio;
  return { token, shim, seq, start };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/** Waits for a new proxy to say in the lock that it is there. */
async function revived(lock: string, before: string): Promise<void> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  while (readFileSync(lock, "utf8") === before || readFileSync(lock, "utf8") === "") {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a shim is its process: streams, signals, exit code", async (t) => {
  const begun = await begin(t);
  const { agent } = begun.bench;
  const { shim, seq, token } = await startShim(begun);
  const [stdout, stderr] = [text(shim.stdout), text(shim.stderr)];
  shim.stdin.end("in");
  await agent.until(() => agent.input.get(seq) === "in<end>");
  shim.kill("SIGUSR1");
  await agent.until(() => agent.requests(Command.SIGNALPROCESS).length > 0);
  assert.deepEqual(agent.requests(Command.SIGNALPROCESS), [{ container: "web", process: token, signal: 10 }]);
  await agent.output(seq, "out");
  await agent.output(seq + 1, "err");
  agent.exit("web", token, 7);
  await agent.output(seq);
  assert.equal(await exitOf(shim), 7);
  assert.deepEqual([await stdout, await stderr], ["out", "err"]);
});

test("a lot of output passes, and is the same", async (t) => {
  const begun = await begin(t);
  const { agent } = begun.bench;
  const { shim, seq, token } = await startShim(begun);
  const came = buffer(shim.stdout);
  const piece = Buffer.alloc(65_536);
  const sent = createHash("sha256");
  for (let i = 0; i < 500; i++) {
    piece.writeUInt32BE(i, (i * 131) % 60_000);
    sent.update(piece);
    await agent.output(seq, piece);
  }
  agent.exit("web", token, 0);
  await agent.output(seq);
  assert.equal(
    createHash("sha256")
      .update(await came)
      .digest("hex"),
    sent.digest("hex"),
  );
  assert.equal(await exitOf(shim), 0);
});

test("shims bring a killed proxy back, and go on", async (t) => {
  const begun = await begin(t);
  const { bench, lock } = begun;
  const shims = await Promise.all([startShim(begun), startShim(begun), startShim(begun)]);
  const texts = shims.map(({ shim }) => text(shim.stdout));
  for (const { shim, seq } of shims) {
    const came = once(shim.stdout, "data");
    await bench.agent.output(seq, "before ");
    await came;
  }
  const before = readFileSync(lock, "utf8");
  await bench.kill();
  await revived(lock, before);
  const caller = await bench.client();
  assert.equal(await caller.hyper("ping"), "");
  for (const { seq, token } of shims) {
    await bench.agent.output(seq, "after");
    bench.agent.exit("web", token, 3);
    await bench.agent.output(seq);
  }
  for (const { shim } of shims) assert.equal(await exitOf(shim), 3);
  assert.deepEqual(await Promise.all(texts), ["before after", "before after", "before after"]);
});

test("a hundred shims share one proxy, and the next one", async (t) => {
  const begun = await begin(t);
  const { bench, lock } = begun;
  const shims = [];
  for (let i = 0; i < 100; i++) shims.push(await startShim(begun));
  const texts = shims.map(({ shim }) => text(shim.stdout));
  for (const { seq } of shims) void bench.agent.output(seq, `${seq} `);
  const before = readFileSync(lock, "utf8");
  await Promise.all(shims.map(({ shim }) => once(shim.stdout, "data")));
  await bench.kill();
  await revived(lock, before);
  await (await bench.client()).hyper("ping");
  for (const { seq, token } of shims) {
    void bench.agent.output(seq, "again");
    bench.agent.exit("web", token, seq % 250);
    void bench.agent.output(seq);
  }
  for (const [i, { shim, seq }] of shims.entries()) {
    assert.equal(await exitOf(shim), seq % 250);
    assert.equal(await texts[i], `${seq} again`);
  }
});

test("a killed shim that wrote a log is followed by one that goes on where it ended", async (t) => {
  const begun = await begin(t);
  const { agent } = begun.bench;
  const log = join(begun.bench.folder, "output.log");
  const exitFile = join(begun.bench.folder, "exit.json");
  const { shim, seq, token, start } = await startShim(begun, "-log-file", log, "-exit-file", exitFile);
  const lines = Array.from({ length: 2000 }, (_, i) => `line ${i} ${"x".repeat(i % 80)}\n`);
  for (const [i, line] of lines.entries()) {
    void agent.output(seq, line);
    if (i === 1000) {
      shim.kill("SIGKILL");
      await exitOf(shim);
    }
  }
  const second = start();
  agent.exit("web", token, 5);
  await agent.output(seq);
  assert.equal(await exitOf(second), 5);
  const entries = readFileSync(log, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { log: string; offset: number });
  assert.equal(entries.map((entry) => entry.log).join(""), lines.join(""));
  for (const [i, { log, offset }] of entries.entries())
    assert.equal(entries[i + 1]?.offset ?? lines.join("").length, offset + log.length);
  assert.equal(JSON.parse(readFileSync(exitFile, "utf8")).exitCode, 5);
});

test("a shim whose VM is gone says so, be its proxy alive or not", async (t) => {
  for (const isProxyDead of [false, true]) {
    const begun = await begin(t);
    const { bench } = begun;
    const { shim, seq } = await startShim(begun);
    const [stdout, stderr] = [text(shim.stdout), text(shim.stderr)];
    const came = once(shim.stdout, "data");
    await bench.agent.output(seq, "last words");
    await came;
    if (isProxyDead) bench.child?.kill("SIGKILL");
    bench.agent.close();
    assert.equal(await exitOf(shim), 255);
    assert.equal(await stdout, "last words");
    assert.match(await stderr, /cc-shim: (the VM has ended|the pod cannot be taken over|the agent)/);
  }
});

test("a shim without a proxy cannot begin", async (t) => {
  const begun = await begin(t);
  const { token } = await startShim(begun);
  const path = join(begun.bench.folder, "nobody.sock");
  assert.ok(!existsSync(path));
  const args = ["-c", "web", "-t", token, "-u", `unix://${path}`];
  assert.equal(await exitOf(spawn(join(programs, "cc-shim"), args)), 1);
  const other = ["-c", "web", "-t", `${"A".repeat(43)}=`, "-u", `unix://${begun.bench.path}`];
  assert.equal(await exitOf(spawn(join(programs, "cc-shim"), other)), 1);
});
