import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { OciState } from "./oci-state.ts";
import { runHook } from "./run-hook.ts";

const STATE: OciState = {
  ociVersion: "1.0.2",
  id: "pod",
  status: "creating",
  pid: process.pid,
  bundle: "/bundle",
  annotations: { a: "1" },
};
const WHAT = "the PreStart hook";
const shell = (script: string, ...more: string[]) => ({
  path: "/bin/sh",
  args: ["sh", "-c", script, ...more],
});

/** Processes with this word on their command line. */
function findProcesses(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

test("a hook gets the state, its own name and no environment but its own", async (t) => {
  const { base } = makeTempRoot(t);
  const script = `cd "$DIR"; cat > state; tr '\\0' '\\n' < /proc/$$/cmdline > argv; tr '\\0' '\\n' < /proc/$$/environ > env`;
  const hook = { path: "/bin/sh", args: ["test-key", "-c", script], env: [`DIR=${base}`, "EMPTY=", "A=b=c"] };
  await runHook(hook, STATE, WHAT);
  const read = (name: string) => readFileSync(join(base, name), "utf8");
  assert.deepEqual(JSON.parse(read("state")), STATE);
  assert.match(read("argv"), /^test-key\n-c\n/);
  assert.equal(read("env"), `DIR=${base}\nEMPTY=\nA=b=c\n`);
});

test("a hook without arguments is called by its path, and need not read", async () => {
  await runHook({ path: "/bin/true" }, { ...STATE, annotations: { long: "x".repeat(1_000_000) } }, WHAT);
});

test("a hook that fails is told with the end of its output, made fit for a message", async () => {
  const script = "head -c 1000000 /dev/zero | tr '\\0' x; printf '\\033[31mred'; echo wrong >&2; exit 3";
  await assert.rejects(runHook(shell(script), STATE, WHAT), (error: Error & { code?: string }) => {
    assert.equal(error.code, "ERR_HOOK_FAILED");
    assert.match(
      error.message,
      /^the PreStart hook \/bin\/sh ended with status 3; stdout: x+red; stderr: wrong$/,
    );
    assert.ok(error.message.length < 5000);
    return true;
  });
  await assert.rejects(runHook(shell("kill -9 $$"), STATE, WHAT), { message: /was ended by SIGKILL$/ });
  await assert.rejects(runHook({ path: "/nowhere/hook" }, STATE, WHAT), {
    code: "ERR_HOOK_FAILED",
    message: /\/nowhere\/hook cannot be run: .*ENOENT/,
  });
});

test("a hook that overruns is killed, with its children", async () => {
  const marker = `husk-test-${randomUUID()}`;
  const hook = { ...shell(`echo begun; sh -c 'sleep 1000; :' ${marker} & wait`, marker), timeout: 1 };
  await assert.rejects(runHook(hook, STATE, WHAT), {
    code: "ERR_HOOK_TIMEOUT",
    message: /did not end within 1 s and was killed; stdout: begun/,
    podId: "pod",
  });
  assert.deepEqual(findProcesses(marker), []);
});

test("an aborted call ends its hook", async (t) => {
  const { base } = makeTempRoot(t);
  const marker = `husk-test-${randomUUID()}`;
  const controller = new AbortController();
  const watcher = watch(base, () => controller.abort());
  t.after(() => watcher.close());
  const running = runHook(
    shell(`touch ${base}/begun; sleep 1000; :`, marker),
    STATE,
    WHAT,
    controller.signal,
  );
  await assert.rejects(running, { code: "ERR_ABORTED" });
  assert.deepEqual(findProcesses(marker), []);
  await assert.rejects(runHook(shell("true"), STATE, WHAT, AbortSignal.abort()), { code: "ERR_ABORTED" });
});

test("a hook that leaves a program behind is not waited for", async (t) => {
  const { base } = makeTempRoot(t);
  await runHook(shell(`sleep 1000 & echo $! > ${base}/pid`), STATE, WHAT);
  process.kill(Number(readFileSync(join(base, "pid"), "utf8")), "SIGKILL");
});
