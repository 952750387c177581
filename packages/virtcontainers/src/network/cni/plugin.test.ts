import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, createReadStream, mkdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { HuskError } from "../../errors/index.ts";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { findPlugin, type PluginCall, runPlugin } from "./plugin.ts";

/** A plugin as a shell script, and a call of it. */
function makePlugin(t: TestContext, script: string, more: Partial<PluginCall> = {}) {
  const { base } = makeTempRoot(t);
  const path = join(base, "fake");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  const call: PluginCall = {
    command: "ADD",
    network: "net",
    containerId: "c1",
    netNSPath: "/run/netns/x",
    ifName: "eth0",
    binDirs: [join(base, "none"), base],
    limitMs: 20_000,
    ...more,
  };
  return { base, path, run: (configuration = {}) => runPlugin("fake", configuration, call) };
}

/** A pipe that all processes of a plugin hold open, as descriptor 9. @returns settles when none of them lives any more */
function openLifeline(base: string): Promise<string> {
  execFileSync("mkfifo", [join(base, "life")]);
  return text(createReadStream(join(base, "life")));
}
const HOLD_LIFELINE = 'exec 9> "$(dirname "$0")/life"; echo begun >&9';

test("a plugin gets its configuration and what the specification tells, and no more", async (t) => {
  const { base, run } = makePlugin(t, `cat > "$(dirname "$0")/in"; tr '\\0' '\\n' < /proc/$$/environ; pwd`, {
    args: "A=1;B=2",
  });
  const lines = (await run({ name: "net", n: 1 })).trim().split("\n").sort();
  assert.deepEqual(lines, [
    "/",
    "CNI_ARGS=A=1;B=2",
    "CNI_COMMAND=ADD",
    "CNI_CONTAINERID=c1",
    "CNI_IFNAME=eth0",
    "CNI_NETNS=/run/netns/x",
    `CNI_PATH=${join(base, "none")}:${base}`,
    `PATH=${process.env.PATH}:/usr/sbin:/usr/bin:/sbin:/bin`,
  ]);
  assert.equal(readFileSync(join(base, "in"), "utf8"), '{"name":"net","n":1}');
});

test("a plugin need not read its configuration", async (t) => {
  const { run } = makePlugin(t, "echo '{}'");
  assert.equal(await run({ long: "x".repeat(1_000_000) }), "{}\n");
});

test("a plugin that is nowhere, or no program, is told with the directories", (t) => {
  const { base } = makePlugin(t, "");
  writeFileSync(join(base, "text"), "");
  mkdirSync(join(base, "folder"));
  for (const type of ["none", "text", "folder"]) {
    assert.throws(() => findPlugin(type, ["/nowhere", base], "net"), {
      code: "ERR_CNI_PLUGIN_MISSING",
      message: `the CNI network net needs the plugin ${type}, which is not in /nowhere, ${base}`,
      hint: /containernetworking-plugins/,
    });
  }
  assert.equal(findPlugin("fake", ["/nowhere", base], "net"), join(base, "fake"));
});

test("a plugin that fails is told in its own words", async (t) => {
  const error = { cniVersion: "1.0.0", code: 7, msg: "no such\u001b[31m bridge", details: "br0" };
  const speaking = makePlugin(t, `echo '${JSON.stringify(error)}'; exit 1`);
  await assert.rejects(speaking.run(), {
    code: "ERR_CNI_PLUGIN",
    message: "the CNI plugin fake (ADD, network net, interface eth0) failed: no such bridge: br0 (code 7)",
  });
  const mumbling = makePlugin(t, "echo something; echo 'went wrong' >&2; exit 3", { command: "DEL" });
  await assert.rejects(mumbling.run(), {
    message: /\(DEL, .*\) ended with status 3; stderr: went wrong; stdout: something$/,
  });
  const silent = makePlugin(t, "kill -9 $$");
  await assert.rejects(silent.run(), { message: /was ended by SIGKILL$/ });
  const odd = makePlugin(t, "echo null; exit 1");
  await assert.rejects(odd.run(), { message: /ended with status 1; stdout: null$/ });
});

test("a program that cannot be executed is told", async (t) => {
  const { path, run } = makePlugin(t, "");
  writeFileSync(path, "#!/nowhere/interpreter\n");
  await assert.rejects(run(), { code: "ERR_CNI_PLUGIN", message: /stderr: setpriv: .*No such file/ });
});

test("a plugin that hangs is killed at its limit, deaf to signals as it may be, with its children", async (t) => {
  const script = `trap '' TERM INT HUP; ${HOLD_LIFELINE}; sleep 1000 & sleep 1000; echo late`;
  const { base, run } = makePlugin(t, script, { limitMs: 1500 });
  const lifeline = openLifeline(base);
  await assert.rejects(run(), {
    code: "ERR_CNI_PLUGIN",
    message: /did not end within 1500 ms and was killed$/,
  });
  assert.equal(await lifeline, "begun\n");
});

test("a plugin that prints without end is killed", async (t) => {
  const { base, run } = makePlugin(t, `${HOLD_LIFELINE}; head -c 2097152 /dev/zero | tr '\\0' x; sleep 1000`);
  const lifeline = openLifeline(base);
  await assert.rejects(run(), {
    code: "ERR_CNI_RESULT",
    message: /printed more than 1048576 bytes and was killed$/,
  });
  assert.equal(await lifeline, "begun\n");
});

test("complaints are kept by their end only", async (t) => {
  const { run } = makePlugin(t, "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1");
  await assert.rejects(run(), (error: Error) => {
    assert.match(error.message, /stderr: x+the end$/);
    assert.ok(error.message.length < 5000);
    return true;
  });
});

test("an aborted call ends its plugin", async (t) => {
  const controller = new AbortController();
  const { base, run } = makePlugin(t, `${HOLD_LIFELINE}; touch "$(dirname "$0")/begun"; sleep 1000; :`, {
    signal: controller.signal,
  });
  const lifeline = openLifeline(base);
  const watcher = watch(base, (_, name) => name === "begun" && controller.abort());
  t.after(() => watcher.close());
  await assert.rejects(run(), { code: "ERR_ABORTED" });
  assert.equal(await lifeline, "begun\n");
  await assert.rejects(run(), (error) => error instanceof HuskError && error.code === "ERR_ABORTED");
});

test("a program that a plugin leaves behind is not waited for", async (t) => {
  const { base, run } = makePlugin(
    t,
    `${HOLD_LIFELINE}; sleep 1000 & echo $! > "$(dirname "$0")/pid"; echo '{}'`,
  );
  const lifeline = openLifeline(base);
  assert.equal(await run(), "{}\n");
  process.kill(Number(readFileSync(join(base, "pid"), "utf8")), "SIGKILL");
  assert.equal(await lifeline, "begun\n");
});

test("a plugin does not outlive who called it", async (t) => {
  const { base, path } = makePlugin(t, `${HOLD_LIFELINE}; exec sleep 1000`);
  execFileSync("mkfifo", [join(base, "life")]);
  const lifeline = createReadStream(join(base, "life"));
  const source = `
    import { runPluginProcess } from ${JSON.stringify(new URL("./plugin-process.ts", import.meta.url))};
    await runPluginProcess({ program: ${JSON.stringify(path)}, env: process.env, input: "", limitMs: 60_000 });`;
  const caller = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], {
    stdio: "inherit",
  });
  lifeline.once("data", () => caller.kill("SIGKILL"));
  let told = "";
  for await (const chunk of lifeline) told += chunk;
  assert.equal(told, "begun\n");
  assert.equal(caller.signalCode ?? "SIGKILL", "SIGKILL");
});
