import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { findPodProcesses, killProcess } from "../store/process-identity.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { ProxyType } from "../types/index.ts";
import { endProxy, isProxyAlive, proxyProcess } from "./end-proxy.ts";
import { createProxy } from "./index.ts";
import { giveProxyUp, keepProxy, startFirstProxy } from "./keep-proxy.ts";

const DEADLINE_MS = 30_000;
const LIMITS = { timeoutMs: DEADLINE_MS };
/** Serves its socket, or not; answers each client with its process id. */
const SOURCE = `
const { createServer } = require("node:net");
createServer((socket) => socket.end(String(process.pid))).listen({ fd: 4 });
`;

interface ProxyBench {
  readonly directory: PodDirectory;
  readonly record: PodRecord;
  /** Who serves the proxy's socket. */
  ask(): Promise<number>;
}

/** A directory of a pod whose proxy is a small program; it is ended with the test. */
function makeBench(test: TestContext, more = ""): ProxyBench {
  const uuid = `proxy-test-${process.pid}-${test.name.length}`;
  const { base } = makeTempRoot(test, async () => {
    for (const left of findPodProcesses(uuid)) killProcess(left);
  });
  const directory = new PodDirectory(base);
  writeFileSync(join(base, "proxy.cjs"), `${more}${SOURCE}`);
  const path = join(base, "proxy");
  writeFileSync(path, `#!/bin/sh\nexec ${process.execPath} ${join(base, "proxy.cjs")} "$@"\n`);
  chmodSync(path, 0o755);
  const config = { id: "p", agentType: "kata", proxyType: "kataProxy", proxyConfig: { path } } as const;
  const ask = async () => {
    const chunks = await createConnection(directory.socket("proxy")).toArray();
    return Number(Buffer.concat(chunks));
  };
  return { directory, record: { uuid, config } as unknown as PodRecord, ask };
}

test("a proxy is started with its lock and its socket, told of, and ended", async (t) => {
  const { directory, record, ask } = makeBench(t);
  await startFirstProxy(record, directory);
  // Whoever comes at once waits until it serves.
  const pid = await ask();
  assert.equal(proxyProcess(directory, record.uuid)?.pid, pid);
  assert.equal(await isProxyAlive(directory), true);
  assert.equal(statSync(directory.file("proxyCommand")).mode & 0o777, 0o600);
  const command = JSON.parse(readFileSync(directory.file("proxyCommand"), "utf8"));
  assert.deepEqual(Object.keys(command), ["argv", "lock", "socket", "log"]);
  await assert.rejects(startFirstProxy(record, directory), {
    code: "ERR_PROXY_START",
    message: /still lives/,
  });
  giveProxyUp(directory);
  assert.ok(!existsSync(directory.file("proxyCommand")));
  await endProxy(record, directory, DEADLINE_MS);
  assert.equal(await isProxyAlive(directory), false);
  assert.equal(proxyProcess(directory, record.uuid), undefined);
  await endProxy(record, directory, DEADLINE_MS);
});

test("of many who bring a dead proxy back, one does", async (t) => {
  const { directory, record, ask } = makeBench(t);
  await startFirstProxy(record, directory);
  const first = await ask();
  assert.equal(await keepProxy(record, directory, LIMITS), false);
  const before = proxyProcess(directory, record.uuid);
  assert.ok(before);
  killProcess(before);
  await endProxy(record, directory, DEADLINE_MS);
  const started = await Promise.all(Array.from({ length: 5 }, () => keepProxy(record, directory, LIMITS)));
  assert.deepEqual(
    started.filter((one) => one),
    [true],
  );
  assert.notEqual(await ask(), first);
  giveProxyUp(directory);
  await assert.rejects(keepProxy(record, directory, LIMITS), { code: "ERR_AGENT_DISCONNECTED" });
});

test("a proxy that the guest's fault has ended is not brought back; the next VM has one again", async (t) => {
  const { directory, record, ask } = makeBench(t);
  await startFirstProxy(record, directory);
  await ask();
  await endProxy(record, directory, DEADLINE_MS);
  writeFileSync(directory.file("proxyLock"), "failed: a frame of type 9\n");
  await assert.rejects(keepProxy(record, directory, LIMITS), {
    code: "ERR_AGENT_PROTOCOL",
    message: "the pod's proxy has ended for good: a frame of type 9",
  });
  await startFirstProxy(record, directory);
  await ask();
});

test("a proxy that does not end when it is asked to is killed", async (t) => {
  const { directory, record, ask } = makeBench(t, 'process.on("SIGTERM", () => {});\n');
  await startFirstProxy(record, directory);
  await ask();
  await endProxy(record, directory, 2000);
  assert.equal(await isProxyAlive(directory), false);
});

test("one that has not told its number is found by its lock", async (t) => {
  const { directory, record, ask } = makeBench(t);
  await startFirstProxy(record, directory);
  await ask();
  for (const text of ["", "1", "x".repeat(100)]) {
    writeFileSync(directory.file("proxyLock"), text);
    assert.equal(proxyProcess(directory, record.uuid), undefined, text);
  }
  await endProxy(record, directory, DEADLINE_MS);
  assert.equal(await isProxyAlive(directory), false);
});

test("each kind has its command line", () => {
  const directory = new PodDirectory("/d");
  const command = (proxyType: ProxyType, debug = false) =>
    createProxy({ id: "p", proxyType, proxyConfig: { path: "/x", debug } }).command({
      podId: "p",
      directory,
    });
  assert.equal(command("noProxy"), undefined);
  assert.equal(command("noopProxy"), undefined);
  assert.equal(
    command("ccProxy", true)?.join(" "),
    "/x -uri unix:///d/proxy.sock -state-file /d/proxy-state.json -log debug",
  );
  assert.equal(
    command("kataProxy")?.join(" "),
    "/x -listen-socket unix:///d/proxy.sock -mux-socket /d/kata.sock -sandbox p",
  );
});
