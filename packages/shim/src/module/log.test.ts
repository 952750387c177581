import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { needsRoot } from "../../test/support/needs-root.ts";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { waitUntil } from "../../test/support/wait-until.ts";

const bench = await ShimBench.build();
after(() => bench.remove());

/** Numbered lines of a program that was told how many. */
function numbered(count: number, from = 1): string {
  return Array.from({ length: count }, (_, at) => `line ${at + from}\n`).join("");
}

test("more than a FIFO holds is all there, also what came right before the end", async (t) => {
  const container = await bench.shell(t, "seq -f 'line %.0f' 1 200000");
  await container.run();
  await container.whenState("stopped");
  assert.equal(await container.readLog(), numbered(200_000));
});

test("stdout and stderr with FIFOs of their own go into one log", async (t) => {
  const stderr = join(bench.folder, "stderr-fifo");
  const container = await bench.shell(t, "seq 1 1000; seq 1001 2000 >&2", { stderr });
  await container.run();
  await container.whenState("stopped");
  const lines = (await container.readLog()).trim().split("\n").map(Number);
  assert.deepEqual(
    lines.sort((one, other) => one - other),
    Array.from({ length: 2000 }, (_, at) => at + 1),
  );
});

test("a log is gone on with, and one that was emptied is begun again", async (t) => {
  const container = await bench.shell(t, "echo one; read go <next; echo two; exec sleep 1000");
  await writeFile(container.plan.log.path, "before\n");
  execFileSync("mkfifo", [join(container.folder, "next")]);
  await container.run();
  const whenLog = (wanted: string) =>
    waitUntil(
      container.folder,
      async () => ((await container.readLog()) === wanted ? true : undefined),
      () => `the log is not ${wanted}`,
      30_000,
    );
  await whenLog("before\none\n");
  await truncate(container.plan.log.path);
  await writeFile(join(container.folder, "next"), "\n");
  await whenLog("two\n");
});

test("no link is followed, be it from the log or from the file that is to take its place", async (t) => {
  const target = join(bench.folder, "target");
  await writeFile(target, "another's\n");
  const linked = { path: join(bench.folder, "linked"), maxBytes: 4096, maxFiles: 2 };
  await symlink(target, linked.path);
  const refused = await bench.shell(t, "echo one", { log: linked });
  const report = await refused.startShim().report;
  assert.ok(report && "error" in report);
  assert.match(report.error.message, /openat2 linked: /);
  const log = { ...linked, path: join(bench.folder, "unlinked") };
  await symlink(target, `${log.path}.new`);
  const before = "before\n".repeat(1000);
  await writeFile(log.path, before);
  const container = await bench.shell(t, "echo one", { log });
  await container.run();
  const { warning } = await container.whenState("stopped");
  assert.match(warning ?? "", /the log cannot be rotated: openat2 unlinked\.new: /);
  assert.equal(await readFile(target, "utf8"), "another's\n");
  assert.equal(await container.readLog(), `${before}one\n`);
});

test("files are changed between lines, and the oldest goes", async (t) => {
  const log = { path: join(bench.folder, "rotated"), maxBytes: 100_000, maxFiles: 3 };
  const container = await bench.shell(t, "seq -f 'line %.0f' 1 60000", { log });
  await container.run();
  await container.whenState("stopped");
  const files = await Promise.all([2, 1, 0].map((age) => container.readLog(age)));
  for (const file of files) assert.match(file, /^line \d+\n/);
  for (const file of files) assert.ok(file.endsWith("\n"));
  const [oldest = "", older = ""] = files;
  for (const file of [oldest, older])
    assert.ok(file.length >= 100_000 && file.length < 100_000 + 70_000, `${file.length} bytes`);
  const first = Number(/\d+/.exec(oldest)?.[0]);
  assert.equal(files.join(""), numbered(60_000 - first + 1, first));
  assert.ok(!existsSync(`${log.path}.3`) && !existsSync(`${log.path}.new`));
});

test("a line without an end is cut in the end", async (t) => {
  const log = { path: join(bench.folder, "endless"), maxBytes: 4096, maxFiles: 10 };
  const container = await bench.shell(t, "head -c 3000000 /dev/zero | tr '\\0' x", { log });
  await container.run();
  await container.whenState("stopped");
  const [newest, older] = await Promise.all([container.readLog(0), container.readLog(1)]);
  assert.ok(older.length >= 1024 * 1024 && older.length < 1200 * 1024, `${older.length} bytes`);
  const files = await Promise.all([2, 1, 0].map((age) => container.readLog(age).catch(() => "")));
  assert.equal(files.join("").length, 3_000_000);
  assert.ok(newest.length > 0);
});

test("one file is enough", async (t) => {
  const log = { path: join(bench.folder, "single"), maxBytes: 4096, maxFiles: 1 };
  const container = await bench.shell(t, "seq -f 'line %.0f' 1 20000", { log });
  await container.run();
  await container.whenState("stopped");
  assert.ok((await container.readLog()).endsWith("line 20000\n"));
  assert.ok(!existsSync(`${log.path}.1`));
});

test(
  "a disk that is full does not hold the container up, and what is dropped is told",
  needsRoot,
  async (t) => {
    const disk = join(bench.folder, "disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=128k", "none", disk]);
    t.after(() => execFileSync("umount", ["-l", disk]));
    const log = { path: join(disk, "log"), maxBytes: 1 << 30, maxFiles: 2 };
    const container = await bench.shell(t, "seq -f 'line %.0f' 1 100000; read go <next; echo again", { log });
    execFileSync("mkfifo", [join(container.folder, "next")]);
    await container.run();
    const { droppedBytes = 0, warning } = await container.whenState(
      "running",
      (state) => state.droppedBytes !== undefined,
    );
    assert.ok(droppedBytes > 0);
    assert.match(warning ?? "", /^output is dropped: .*No space left on device$/);
    await writeFile(join(container.folder, "next"), "\n");
    const state = await container.whenState("stopped");
    const kept = await container.readLog();
    assert.ok(numbered(100_000).startsWith(kept.slice(0, 100_000)));
    const whole = numbered(100_000).length + "again\n".length;
    assert.equal(kept.length + (state.droppedBytes ?? 0), whole);
  },
);

test("no line is lost or doubled when shims are killed at any time", async (t) => {
  const kills = 20;
  // It ends when there is a file beside it, which may take long on a busy machine.
  const script = `i=0; while [ ! -e enough ]; do i=$((i+1)); seq -f "line %.0f" $((i*10-9)) $((i*10)); sleep 0.01; done`;
  const log = { path: join(bench.folder, "killed"), maxBytes: 8192, maxFiles: 50 };
  const container = await bench.shell(t, script, { log });
  let shim = await container.run();
  const { pid } = await container.readState();
  for (let kill = 0; kill < kills; kill++) {
    await delay(Math.random() * 100);
    if (kill === kills - 1) await writeFile(join(container.folder, "enough"), "");
    shim.kill("SIGKILL");
    await once(shim, "exit");
    const started = container.startShim();
    shim = started.process;
    const report = await started.report;
    assert.ok(report && "ok" in report, JSON.stringify(report));
    if (report.adopted) assert.equal(report.pid, pid);
  }
  await container.whenState("stopped");
  const files = await Promise.all(
    Array.from({ length: 50 }, (_, age) => container.readLog(age).catch(() => "")),
  );
  const text = files.reverse().join("");
  const count = text.split("\n").length - 1;
  assert.ok(count >= kills && count % 10 === 0, `${count} lines`);
  assert.equal(text, numbered(count));
});

test("a shim that is away does not hold up a container that writes less than a FIFO holds", async (t) => {
  const container = await bench.shell(
    t,
    "read go <next; seq -f 'line %.0f' 1 5000; echo done >done; exec sleep 1000",
  );
  execFileSync("mkfifo", [join(container.folder, "next")]);
  const shim = await container.run();
  shim.kill("SIGKILL");
  await once(shim, "exit");
  await writeFile(join(container.folder, "next"), "\n");
  await waitUntil(
    container.folder,
    async () => (existsSync(join(container.folder, "done")) ? true : undefined),
    () => "the container has not written all",
    30_000,
  );
  assert.equal(await readFile(container.plan.log.path, "utf8"), "");
  await container.run();
  await waitUntil(
    container.folder,
    async () => ((await container.readLog()) === numbered(5000) ? true : undefined),
    () => "not all came",
    30_000,
  );
});
