import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type AttachHello, encodeExit, encodeOutput } from "@husk/wire/attach";
import { attachContainer, createPod, readLog, stopPod, waitContainer } from "../index.ts";
import { PodDirectory, podPath } from "../store/pod-directory.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { type FakeShim, startFakeShim } from "../testing/fake-shim.ts";
import { makeMockBench } from "../testing/mock-pod.ts";

const TIME = "2026-11-23T01:02:03.456Z";

test("waits for the end that a shim tells, whatever else it says", async (context) => {
  const { options, listen } = await makeDetachedPod(context);
  const shim = await listen();
  const waits = [waitContainer("pod", "a", options), waitContainer("pod", "a", options)];
  await shim.connected(2);
  shim.send(encodeOutput("stdout", 0, Buffer.from("x")), encodeExit({ exitCode: 9, time: TIME }));
  for (const client of shim.clients) client.end();
  assert.deepEqual(await Promise.all(waits), [{ exitCode: 9 }, { exitCode: 9 }]);
});

test("waits on with another shim when one dies, and believes what it has left", async (context) => {
  const { options, listen, writeExit } = await makeDetachedPod(context);
  const first = await listen();
  const wait = waitContainer("pod", "a", options);
  await first.connected(1);
  await first.close();
  const second = await listen();
  await second.connected(1);
  writeExit({ exitCode: 4, time: TIME });
  for (const client of second.clients) client.destroy();
  assert.deepEqual(await wait, { exitCode: 4 });
});

test("says that nobody knows how a container ended, and that one was never started", async (context) => {
  const { options, writeExit } = await makeDetachedPod(context);
  writeExit({ lost: "the VM is gone", time: TIME });
  await assert.rejects(waitContainer("pod", "a", options), { code: "ERR_VM_LOST", containerId: "a" });
  await assert.rejects(waitContainer("pod", "b", options), { code: "ERR_STATE_INVALID" });
  await assert.rejects(waitContainer("pod", "c", options), { code: "ERR_CONTAINER_NOT_FOUND" });
});

test("stops waiting when it is told to", async (context) => {
  const { options, listen } = await makeDetachedPod(context);
  const shim = await listen();
  const controller = new AbortController();
  const wait = waitContainer("pod", "a", { ...options, signal: controller.signal });
  await shim.connected(1);
  controller.abort();
  await assert.rejects(wait, { code: "ERR_ABORTED" });
});

test("refuses to attach to what was not started detached, or has no shim", async (context) => {
  const { options, edit } = await makeDetachedPod(context);
  await assert.rejects(attachContainer("pod", "a", options), { code: "ERR_SHIM_LOST" });
  await assert.rejects(attachContainer("pod", "b", options), { code: "ERR_STATE_INVALID" });
  edit((record) => delete record.config.containers[0].cmd.detach);
  for (const call of [() => attachContainer("pod", "a", options), () => readLog("pod", "a", options).next()])
    await assert.rejects(call, { code: "ERR_NOT_DETACHED", podId: "pod", containerId: "a" });
});

test("tells an attached caller what a shim has written before it died, or that it died", async (context) => {
  const { options, listen, writeExit } = await makeDetachedPod(context);
  const shim = await listen();
  const first = await attachContainer("pod", "a", options);
  for (const client of shim.clients) client.destroy();
  await assert.rejects(first.wait(), { code: "ERR_SHIM_LOST", message: /which is running/ });
  const second = await attachContainer("pod", "a", options);
  writeExit({ exitCode: 3, time: TIME });
  for (const client of shim.clients) client.destroy();
  assert.deepEqual(await second.wait(), { exitCode: 3 });
});

test("follows a log to the end of its container, with what was written last", async (context) => {
  const { options, listen, log } = await makeDetachedPod(context);
  const shim = await listen();
  log("stdout", "one\n");
  const got: string[] = [];
  const following = (async () => {
    for await (const { stream, data } of readLog("pod", "a", { ...options, follow: true }))
      got.push(`${stream} ${Buffer.from(data)}`);
  })();
  await shim.connected(1);
  log("stderr", "two\n");
  log("stdout", "three\n");
  shim.send(encodeExit({ exitCode: 0, time: TIME }));
  for (const client of shim.clients) client.end();
  await following;
  assert.deepEqual(got, ["stdout one\n", "stderr two\n", "stdout three\n"]);
});

test("reads what is asked for of a log, and warns of what is damaged", async (context) => {
  const { options, log, append } = await makeDetachedPod(context);
  log("stdout", "one\n");
  append("nonsense\n");
  log("stderr", "two\n");
  log("stdout", "three\n", "2026-11-24T00:00:00.000Z");
  const warnings: Error[] = [];
  const read = async (more: object) => {
    const texts: string[] = [];
    const reading = { ...options, onWarning: (warning: Error) => warnings.push(warning), ...more };
    for await (const { data } of readLog("pod", "a", reading)) texts.push(Buffer.from(data).toString());
    return texts;
  };
  assert.deepEqual(await read({}), ["one\n", "two\n", "three\n"]);
  assert.deepEqual(
    warnings.map((warning) => (warning as { code?: string }).code),
    ["ERR_LOG_DAMAGED"],
  );
  assert.deepEqual(await read({ tail: 2 }), ["two\n", "three\n"]);
  assert.deepEqual(await read({ tail: 1, streams: ["stderr"] }), ["two\n"]);
  assert.deepEqual(await read({ since: new Date("2026-11-23T12:00:00Z") }), ["three\n"]);
  for (const wrong of [{ tail: -1 }, { since: new Date(Number.NaN) }, { streams: ["stdin"] }])
    await assert.rejects(read(wrong), { code: "ERR_CONFIG_INVALID" });
  await assert.rejects(read({ folow: true }), { code: "ERR_CONFIG_UNKNOWN_FIELD" });
});

test("lets go of the shim when a follower has enough", async (context) => {
  const { options, listen, log } = await makeDetachedPod(context);
  const shim = await listen();
  log("stdout", "one\n");
  for await (const _ of readLog("pod", "a", { ...options, follow: true })) {
    await shim.connected(1);
    break;
  }
  await shim.left();
});

test("stops a pod only if all have ended, when that is asked for", async (context) => {
  const { options, writeExit } = await makeDetachedPod(context, ["a"]);
  await assert.rejects(stopPod("pod", { ...options, ifEnded: true }), { code: "ERR_STATE_INVALID" });
  writeExit({ exitCode: 0, time: TIME });
  await stopPod("pod", { ...options, ifEnded: true });
});

/**
 * A pod whose container `a` looks as if it ran detached with the test as its shim; `b` was never started.
 */
async function makeDetachedPod(context: TestContext, ids: readonly string[] = ["a", "b"]) {
  const bench = makeMockBench(context);
  const { options, root } = bench;
  await createPod(bench.config({ containers: ids.map(bench.container) }), options);
  const path = podPath(root, "pod");
  const directory = new PodDirectory(
    path,
    JSON.parse(readFileSync(join(path, "pod.json"), "utf8")).socketDirectory,
  );
  // biome-ignore lint/suspicious/noExplicitAny: the test changes what only the library writes
  const edit = (change: (record: any) => void) => {
    const path = directory.file("record");
    const record = JSON.parse(readFileSync(path, "utf8"));
    change(record);
    writeFileSync(path, JSON.stringify(record));
  };
  edit((record) => {
    const program = { path: "/bin/true" };
    const residents = { proxyType: "ccProxy", proxyConfig: program, shimType: "ccShim", shimConfig: program };
    Object.assign(record.config, { agentType: "hyperstart", ...residents });
    for (const { cmd } of record.config.containers) cmd.detach = true;
    record.state = "running";
    const ownShim = { ...identifyProcess(process.pid), token: "t", logs: true };
    Object.assign(record.containers.a, { state: "running", startTime: TIME, ownShim });
  });
  const place = dirname(directory.containerFile("a", "log"));
  mkdirSync(place, { recursive: true });
  let offset = 0;
  const append = (text: string) => writeFileSync(directory.containerFile("a", "log"), text, { flag: "a" });
  return {
    options,
    edit,
    append,
    writeExit: (record: object) =>
      writeFileSync(directory.containerFile("a", "exit"), JSON.stringify(record)),
    log(stream: string, text: string, time = TIME) {
      append(`${JSON.stringify({ time, stream, offset, log: text })}\n`);
      offset += text.length;
    },
    async listen(): Promise<FakeShim> {
      const hello: AttachHello = {
        containerId: "a",
        terminal: false,
        interactive: true,
        positions: { stdout: 0, stderr: 0 },
      };
      const shim = await startFakeShim(directory.attachSocket("a"), hello);
      context.after(() => shim.close());
      return shim;
    },
  };
}
