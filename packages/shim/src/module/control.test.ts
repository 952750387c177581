import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { encodeExecResize, encodeExecSignal, encodeExecStdin, encodeShimCall } from "@husk/wire/module-shim";
import { needsRoot } from "../../test/support/needs-root.ts";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { ShimClient } from "../../test/support/shim-client.ts";
import { waitUntil } from "../../test/support/wait-until.ts";

const bench = await ShimBench.build();
after(() => bench.remove());

const WAITS = "exec sleep 1000";

async function begin(t: TestContext, script = WAITS) {
  const container = await bench.shell(t, script);
  const shim = await container.run();
  const { socket } = container.plan;
  return { container, shim, socket };
}

test("what is not of the protocol closes that connection, and nothing else", async (t) => {
  const { container, socket } = await begin(t);
  const stays = await ShimClient.connect(socket);
  const call = encodeShimCall({ method: "state" });
  const bad = [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from([1, 0, 0, 0, 255, 255, 255, 255]),
    Buffer.from(encodeShimCall({ method: "nope" } as never)),
    Buffer.from(encodeShimCall({ method: "exec", args: [] })),
    Buffer.from(encodeShimCall({ method: "stop", graceMs: -1 })),
  ];
  for (const bytes of bad) {
    const client = connect(socket);
    client.write(bytes);
    assert.equal((await buffer(client)).length, 0, bytes.toString("hex"));
  }
  stays.socket.write(call);
  assert.equal((await stays.answer()).last.kind, "state");
  stays.socket.destroy();
  assert.equal((await container.readState()).state, "running");
});

test("one call at a time: a second one before the answer closes the connection", async (t) => {
  const { socket } = await begin(t, "trap '' TERM; while :; do sleep 0.01; done");
  const client = await ShimClient.connect(socket);
  client.send({ method: "stop", graceMs: 300 });
  client.send({ method: "state" });
  assert.equal(await client.next(), undefined);
  // What was asked for goes on.
  const { last } = await ShimClient.call(socket, { method: "stop", graceMs: 300 });
  assert.ok(last.kind === "state" && last.state.state === "stopped");
});

test("calls come one behind the other on a connection, in pieces of any size", async (t) => {
  const { socket } = await begin(t);
  const client = await ShimClient.connect(socket);
  client.socket.setNoDelay(true);
  for (const byte of encodeShimCall({ method: "state" })) client.socket.write(Buffer.from([byte]));
  assert.equal((await client.answer()).last.kind, "state");
  client.send({ method: "state" });
  assert.equal((await client.answer()).last.kind, "state");
  client.socket.destroy();
});

test("a client that asks and asks, and takes no answer, is not read on", async (t) => {
  const { socket, shim } = await begin(t);
  const client = await ShimClient.connect(socket);
  client.socket.pause();
  const calls = 60_000;
  const call = encodeShimCall({ method: "state" });
  client.socket.write(Buffer.concat(Array.from({ length: calls }, () => call)));
  // Another one is served meanwhile, and the shim's memory does not grow by what waits.
  for (let round = 0; round < 20; round++) await ShimClient.call(socket, { method: "state" });
  const status = await readFile(`/proc/${shim.pid}/status`, "utf8");
  const mostKb = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]);
  assert.ok(mostKb < 12_000, `${mostKb} kB`);
  client.socket.resume();
  for (let answers = 0; answers < calls; answers++) assert.equal((await client.next())?.kind, "state");
  client.socket.destroy();
});

test("a shim whose container runs does not quit", async (t) => {
  const { shim, socket, container } = await begin(t);
  const { last } = await ShimClient.call(socket, { method: "quit" });
  const { pid } = await container.readState();
  const message = `the container is running as process ${pid}: stop it first`;
  assert.deepEqual(last, { kind: "fault", fault: { code: "running", message } });
  await ShimClient.call(socket, { method: "stop" });
  const [[code], answer] = await Promise.all([
    once(shim, "exit"),
    ShimClient.call(socket, { method: "quit" }),
  ]);
  assert.equal(answer.last.kind, "state");
  assert.equal(code, 0);
  assert.ok(!existsSync(socket));
});

test("there is no exec in a container that does not run, nor without a bundle", async (t) => {
  const { socket, container } = await begin(t);
  const exec = () => ShimClient.call(socket, { method: "exec", args: ["true"] });
  const fault = (await exec()).last;
  assert.ok(fault.kind === "fault" && fault.fault.code === "runtime");
  assert.match(fault.fault.message, /config\.json has no process: .*No such file/);
  await writeFile(join(container.folder, "config.json"), "{}");
  const other = (await exec()).last;
  assert.ok(other.kind === "fault");
  assert.match(other.fault.message, /config\.json has no process: it is no JSON object$/);
  await ShimClient.call(socket, { method: "stop" });
  const message = "the container is stopped";
  assert.deepEqual((await exec()).last, { kind: "fault", fault: { code: "not-running", message } });
});

test("what a runtime says of an exec that it cannot start is told, as far as a fault may be long", async (t) => {
  const { socket, container } = await begin(t);
  const [said, script] = ["x".repeat(5000), join(container.folder, "runtime")];
  const text = await readFile(script, "utf8");
  await writeFile(script, text.replace("exec)", `exec) echo ${said}; echo ${said} >&2; exit 1`));
  await makeExec(container.folder, "");
  const { last } = await ShimClient.call(socket, { method: "exec", args: ["x"] });
  assert.ok(last.kind === "fault" && last.fault.code === "runtime");
  assert.match(last.fault.message, /runtime ended with 1: x{1000,}/);
});

/** An exec of the shell runtime: the process is a script beside it. */
async function makeExec(folder: string, script: string): Promise<void> {
  await writeFile(join(folder, "config.json"), JSON.stringify({ process: { args: ["x"], cwd: "/" } }));
  await writeFile(join(folder, "exec-program"), script);
}

test("an exec's process and files are gone with it", async (t) => {
  const { socket, container } = await begin(t);
  await makeExec(container.folder, "echo out; echo err >&2; cat; exit 6");
  const answer = await ShimClient.call(socket, { method: "exec", args: ["x"] }, "in\n");
  assert.deepEqual(answer, {
    last: { kind: "exit", exit: { exitCode: 6 } },
    stdout: "out\nin\n",
    stderr: "err\n",
  });
  const files = await readdir(container.folder);
  assert.deepEqual(
    files.filter((name) => name.includes("exec-") && name !== "exec-program"),
    [],
  );
});

test("much input and output goes through, and a slow client holds up only its own process", async (t) => {
  const { socket, shim, container } = await begin(t);
  await makeExec(container.folder, "exec cat");
  const slow = await ShimClient.connect(socket);
  slow.socket.pause();
  slow.socket.write(encodeShimCall({ method: "exec", args: ["x"] }));
  const piece = encodeExecStdin(Buffer.alloc(60_000, "x"));
  const pieces = 1000;
  for (let sent = 0; sent < pieces; sent++) slow.socket.write(piece);
  slow.socket.write(encodeExecStdin());
  // Another one is served meanwhile, and the shim's memory does not grow by what waits.
  for (let round = 0; round < 20; round++) {
    const { last } = await ShimClient.call(socket, { method: "state" });
    assert.equal(last.kind, "state");
  }
  const status = await readFile(`/proc/${shim.pid}/status`, "utf8");
  const residentKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  assert.ok(residentKb < 16_000, `${residentKb} kB`);
  slow.socket.resume();
  const { last, stdout } = await slow.answer();
  assert.deepEqual(last, { kind: "exit", exit: { exitCode: 0 } });
  assert.equal(stdout.length, pieces * 60_000);
  slow.socket.destroy();
});

test("a client that goes while its input has to wait takes its process with it", async (t) => {
  const { socket, container } = await begin(t);
  await makeExec(container.folder, "exec sleep 1000");
  const client = await ShimClient.connect(socket);
  client.socket.write(encodeShimCall({ method: "exec", args: ["x"] }));
  const started = await client.next();
  assert.ok(started?.kind === "started");
  const piece = encodeExecStdin(Buffer.alloc(60_000));
  for (let sent = 0; sent < 20; sent++) client.socket.write(piece);
  const { last: before } = await ShimClient.call(socket, { method: "state" });
  assert.equal(before.kind, "state");
  client.socket.destroy();
  await waitUntil(
    container.folder,
    async () => (existsSync(`/proc/${started.pid}`) ? undefined : true),
    () => `process ${started.pid} is still there`,
    30_000,
  );
});

test("a signal goes to an exec's process", async (t) => {
  const { socket, container } = await begin(t);
  await makeExec(container.folder, "exec sleep 1000");
  const client = await ShimClient.connect(socket);
  client.send({ method: "exec", args: ["x"] });
  assert.equal((await client.next())?.kind, "started");
  client.socket.write(encodeExecSignal(10));
  const { last } = await client.answer();
  assert.deepEqual(last, { kind: "exit", exit: { exitSignal: 10 } });
  client.socket.destroy();
});

test("so does one that comes before it is there", async (t) => {
  const { socket, container } = await begin(t);
  await makeExec(container.folder, "exec sleep 1000");
  const client = await ShimClient.connect(socket);
  client.send({ method: "exec", args: ["x"] });
  client.socket.write(encodeExecSignal(9));
  const { last } = await client.answer();
  assert.deepEqual(last, { kind: "exit", exit: { exitSignal: 9 } });
  client.socket.destroy();
});

test("of many that come before it is there, none is lost but what the kernel would take for one", async (t) => {
  const { socket, container } = await begin(t);
  await makeExec(container.folder, "exec sleep 1000");
  const client = await ShimClient.connect(socket);
  client.send({ method: "exec", args: ["x"], timeoutMs: 20_000 });
  const [SIGCONT, SIGKILL] = [18, 9];
  for (let sent = 0; sent < 100; sent++) client.socket.write(encodeExecSignal(SIGCONT));
  client.socket.write(encodeExecSignal(SIGKILL));
  const { last } = await client.answer();
  assert.deepEqual(last, { kind: "exit", exit: { exitSignal: SIGKILL } });
  client.socket.destroy();
});

test("an exec has a terminal of the shim's, which changes nothing of what goes through it", async (t) => {
  const { socket, container } = await begin(t);
  await makeExec(container.folder, `tty; stty size; read line; echo "got $line"; stty size; exit 4`);
  const client = await ShimClient.connect(socket);
  t.after(() => client.socket.destroy());
  const terminal = { rows: 30, columns: 100 };
  client.socket.write(encodeShimCall({ method: "exec", args: ["x"], terminal }));
  assert.equal((await client.next())?.kind, "started");
  assert.match(await client.output("100\n"), /^\/dev\/pts\/\d+\n30 100\n$/);
  client.socket.write(encodeExecResize({ rows: 40, columns: 120 }));
  client.socket.write(encodeExecStdin(Buffer.from("hello\n")));
  const { last, stdout, stderr } = await client.answer();
  assert.deepEqual(
    [last, stdout, stderr],
    [{ kind: "exit", exit: { exitCode: 4 } }, "got hello\n40 120\n", ""],
  );
});

const freezer = "/sys/fs/cgroup/freezer";
const noFreezer =
  needsRoot.skip ||
  (!existsSync(freezer) && "SKIPPED: needs a freezer of cgroup version 1, whose processes cannot be killed");

test("a process that cannot be killed is told, kept, and ends when it can", {
  skip: noFreezer,
}, async (t) => {
  const { socket, container } = await begin(t);
  const { pid } = await container.readState();
  const cgroup = join(freezer, `husk-modshim-${process.pid}`);
  await mkdir(cgroup);
  await writeFile(join(cgroup, "cgroup.procs"), String(pid));
  await writeFile(join(cgroup, "freezer.state"), "FROZEN");
  try {
    while ((await readFile(join(cgroup, "freezer.state"), "utf8")) !== "FROZEN\n") await delay(10);
    const { last } = await ShimClient.call(socket, { method: "stop", graceMs: 50, killMs: 100 });
    const message = `process ${pid} has not ended in 100 ms after signal 9`;
    assert.deepEqual(last, { kind: "fault", fault: { code: "stuck", message } });
    assert.equal((await container.readState()).pid, pid);
  } finally {
    await writeFile(join(cgroup, "freezer.state"), "THAWED");
  }
  await container.whenState(
    "stopped",
    ({ exitSignal, stopRequested }) => exitSignal !== undefined && stopRequested === true,
  );
  await rmdir(cgroup);
});
