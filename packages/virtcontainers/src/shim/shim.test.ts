import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encodeSignal } from "@husk/wire/attach";
import { PodDirectory } from "../store/pod-directory.ts";
import { startFakeShim } from "../testing/fake-shim.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { ShimType } from "../types/index.ts";
import { exitCodeOf, readExitFile } from "./exit-file.ts";
import { createShim } from "./index.ts";
import { tellShim, waitForGreeting, waitForShim } from "./tell-shim.ts";

test("each kind has its command line", () => {
  const proxySocket = new PodDirectory("/d").socket("proxy");
  const command = (shimType: ShimType, terminal = false, debug = false) =>
    createShim({ id: "p", shimType, shimConfig: { path: "/x", debug } })
      .command({ containerId: "c", token: "t", terminal, proxySocket })
      ?.join(" ");
  assert.equal(command("noopShim"), undefined);
  assert.equal(command("ccShim", true, true), "/x -c c -t t -u unix:///d/proxy.sock -terminal=true -d");
  assert.equal(command("kataShim"), "/x -agent unix:///d/proxy.sock -container c -exec-id t");
});

test("how a process ended is read from what its shim has written; nonsense is no exit status", (t) => {
  const path = join(makeTempRoot(t).base, "exit.json");
  assert.equal(readExitFile(path), undefined);
  const time = "2026-11-23T01:02:03.456Z";
  const cases = [
    { text: JSON.stringify({ exitCode: 3, time }), exitCode: 3 },
    { text: JSON.stringify({ lost: "why", time }), exitCode: undefined },
    { text: '{"exitCode":3', exitCode: undefined },
    { text: "x".repeat(100_000), exitCode: undefined },
  ];
  for (const { text, exitCode } of cases) {
    writeFileSync(path, text);
    const exit = readExitFile(path);
    assert.ok(exit, text.slice(0, 80));
    assert.equal(exitCodeOf(exit), exitCode);
  }
});

test("a shim is told messages, and its end is seen", async (t) => {
  const { base } = makeTempRoot(t);
  mkdirSync(join(base, "p"));
  const path = join(base, "p", "attach.sock");
  assert.equal(await waitForGreeting(path, { timeoutMs: 30_000 }), false);
  await tellShim(path, encodeSignal(15));
  await waitForShim(path, {});
  const positions = { stdout: 0, stderr: 0 };
  const shim = await startFakeShim(path, {
    containerId: "c",
    terminal: false,
    interactive: false,
    positions,
  });
  assert.equal(await waitForGreeting(path, { timeoutMs: 30_000 }), true);
  await tellShim(path, encodeSignal(9));
  assert.deepEqual(shim.requests, [{ kind: "signal", signal: 9 }]);
  await assert.rejects(waitForShim(path, { timeoutMs: 50 }), { code: "ERR_TIMEOUT" });
  const ended = waitForShim(path, {});
  const stop = new AbortController();
  const aborted = assert.rejects(waitForShim(path, { signal: stop.signal }), { code: "ERR_ABORTED" });
  stop.abort();
  await aborted;
  await shim.close();
  await ended;
});
