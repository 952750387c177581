import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, stat, watch } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { needsDisk } from "../../test/support/disk.ts";
import { exec, makeSpec, sh, startContainer, useRoot } from "../../test/support/kata-containers.ts";
import type { KataConnection } from "../../test/support/kata-session.ts";
import { PodOnHost, type ShimProcess } from "../../test/support/pod-on-host.ts";

const MIB = 1024 * 1024;
const LENGTH = 30 * MIB;
/** Numbers, a line each: what is lost, doubled or out of order changes the sum. */
const MANY = `seq 1 100000000 | head -c ${LENGTH}`;

function numbers(length: number): Buffer {
  const lines: string[] = [];
  for (let number = 1, size = 0; size < length; number++) {
    lines.push(`${number}\n`);
    size += String(number).length + 1;
  }
  return Buffer.from(lines.join("")).subarray(0, length);
}

const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function startPod(): Promise<[PodOnHost, KataConnection]> {
  const pod = await PodOnHost.start();
  await pod.startProxy();
  const connection = await pod.connect();
  await connection.call("CreateSandbox", { hostname: "pod", sandboxPidns: true });
  return [pod, connection];
}

/** Waits until a shim has written so many bytes, or has ended. */
function whenWritten(shim: ShimProcess, size: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (shim.size < size && shim.child.exitCode === null) return;
      shim.child.stdout?.off("data", look);
      resolve();
    };
    shim.child.stdout?.on("data", look);
    shim.child.once("exit", look);
    look();
  });
}

function residentKib(pid: number): number {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Waits until a file is longer than that. */
async function whenLonger(path: string, size: number): Promise<void> {
  for await (const _ of watch(dirname(path))) {
    const { size: found } = await stat(path).catch(() => ({ size: 0 }));
    if (found > size) return;
  }
}

/** The output that a shim's log files tell of, the oldest first. */
async function readLog(path: string, olderFiles: number): Promise<Buffer> {
  const paths = [...Array.from({ length: olderFiles }, (_, at) => `${path}.${olderFiles - at}`), path];
  const texts = await Promise.all(paths.map((each) => readFile(each, "utf8").catch(() => "")));
  const entries = texts.join("").split("\n").filter(Boolean);
  return Buffer.concat(
    entries.map((line) => {
      const {
        stream,
        log = "",
        base64,
      } = JSON.parse(line) as { stream: string; log?: string; base64?: string };
      assert.equal(stream, "stdout", line);
      return base64 === undefined ? Buffer.from(log) : Buffer.from(base64, "base64");
    }),
  );
}

describe("kata-proxy and kata-shim with the agent", needsDisk, () => {
  useRoot();

  it("carry input, output, error output and the exit code", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh("cat; echo error >&2; exit 3")));
    const shim = pod.startShim("c", "c");
    shim.child.stdin?.end("hello\n");
    const { code, stdout, stderr } = await shim.ended();
    assert.deepEqual([code, String(stdout), stderr], [3, "hello\n", "error\n"]);
  });

  it("carry signals, and tell by which one the process has ended", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    const process = await startContainer(connection, "c", makeSpec(sh("read x")));
    await exec(connection, "c", "e", sh('trap "echo caught" USR1; echo ready; while :; do sleep 1; done'));
    const shim = pod.startShim("c", "e");
    await whenWritten(shim, 6);
    shim.child.kill("SIGUSR1");
    await whenWritten(shim, 13);
    shim.child.kill("SIGTERM");
    const { code, stdout } = await shim.ended();
    assert.deepEqual([code, String(stdout)], [143, "ready\ncaught\n"]);
    await process.signal(9);
  });

  it("end the input although the proxy is killed at that moment", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh("echo up; cat; exit 4")));
    const shim = pod.startShim("c", "c");
    await whenWritten(shim, 3);
    process.kill(pod.proxyPid, "SIGKILL");
    shim.child.stdin?.end();
    const { code, stdout, stderr } = await shim.ended();
    assert.deepEqual([code, String(stdout), stderr], [4, "up\n", ""]);
  });

  it("lose no byte when the proxy is killed again and again", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh(`${MANY}; exit 5`)));
    const shim = pod.startShim("c", "c");
    for (let kills = 1; kills <= 5; kills++) {
      await whenWritten(shim, (kills * LENGTH) / 7);
      const next = pod.nextProxy();
      process.kill(pod.proxyPid, "SIGKILL");
      await next;
    }
    const { code, stdout, stderr } = await shim.ended();
    assert.deepEqual([code, stdout.length, stderr], [5, LENGTH, ""]);
    assert.equal(sumOf(stdout), sumOf(numbers(LENGTH)));
  });

  it("lose no byte when the shim is killed again and again, and goes on behind its log", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    // A line of the log is ten times as long as what it tells.
    const length = 3 * MIB;
    await startContainer(connection, "c", makeSpec(sh(`seq 1 100000000 | head -c ${length}; exit 5`)));
    const log = join(pod.folder, "output.log");
    const args = ["-log-file", log, "-log-max-bytes", String(100 * MIB), "-log-max-files", "2"];
    for (let kills = 1; kills <= 4; kills++) {
      const shim = pod.startShim("c", "c", args);
      await whenLonger(log, (kills * 10 * length) / 6);
      shim.child.kill("SIGKILL");
      if (kills === 3) process.kill(pod.proxyPid, "SIGKILL");
      await shim.ended();
    }
    const { code, stderr } = await pod.startShim("c", "c", args).ended();
    assert.deepEqual([code, stderr], [5, ""]);
    const logged = await readLog(log, 1);
    assert.equal(logged.length, length);
    assert.equal(sumOf(logged), sumOf(numbers(length)));
  });

  it("tell the exit code although the proxy was dead when the process ended", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh("echo up; read x; exit 6")));
    const shim = pod.startShim("c", "c");
    await whenWritten(shim, 3);
    const next = pod.nextProxy();
    process.kill(pod.proxyPid, "SIGKILL");
    await next;
    shim.child.stdin?.write("\n");
    const { code, stdout, stderr } = await shim.ended();
    assert.deepEqual([code, String(stdout), stderr], [6, "up\n", ""]);
  });

  it("hold the process when nobody reads, and not its output", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh(MANY)));
    const shim = pod.startShim("c", "c");
    shim.child.stdout?.pause();
    const other = await pod.connect();
    for (let round = 0; round < 100; round++) await other.health("Check");
    for (const pid of [shim.child.pid ?? 0, pod.proxyPid])
      assert.ok(residentKib(pid) < 5000, `${residentKib(pid)} KiB`);
    shim.child.stdout?.resume();
    const { code, stdout } = await shim.ended();
    assert.equal(code, 0);
    assert.equal(sumOf(stdout), sumOf(numbers(LENGTH)));
  });

  it("serve 100 processes at once, also when the proxy is killed", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    const process_ = await startContainer(connection, "c", makeSpec(sh("read x")));
    const shims: ShimProcess[] = [];
    for (let at = 0; at < 100; at++) {
      await exec(connection, "c", `e${at}`, sh(`echo ${at}; read x; echo $x; exit ${at}`));
      shims.push(pod.startShim("c", `e${at}`));
    }
    await Promise.all(shims.map((shim, at) => whenWritten(shim, `${at}\n`.length)));
    const next = pod.nextProxy();
    process.kill(pod.proxyPid, "SIGKILL");
    await next;
    for (const shim of shims) shim.child.stdin?.write("more\n");
    const ends = await Promise.all(shims.map((shim) => shim.ended()));
    for (const [at, { code, stdout, stderr }] of ends.entries())
      assert.deepEqual([code, String(stdout), stderr], [at, `${at}\nmore\n`, ""]);
    const again = await pod.connect();
    await again.call("SignalProcess", { ...process_.which, signal: 9 });
  });

  it("end a shim when the guest breaks the rules, and say how it did", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh("echo up; read x")));
    const shim = pod.startShim("c", "c");
    await whenWritten(shim, 3);
    pod.inject(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    const { code, stderr } = await shim.ended();
    assert.equal(code, 255);
    assert.match(stderr, /can be started: the agent's session has ended: a frame is of version 71\n$/);
  });

  it("say that the process is lost when the VM is, and refuse one that is not there", async () => {
    const [pod, connection] = await startPod();
    await using _ = pod;
    await startContainer(connection, "c", makeSpec(sh("echo up; read x")));
    const unknown = await pod.startShim("c", "none").ended();
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /the agent does not know the process: container "c" has no process "none"/);
    const quiet = pod.startShim("c", "c");
    await whenWritten(quiet, 3);
    pod.cut();
    const { code, stderr } = await quiet.ended();
    assert.equal(code, 255);
    assert.match(stderr, /kata-shim: the agent cannot be reached: /);
  });
});
