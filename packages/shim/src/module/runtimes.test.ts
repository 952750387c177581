import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import {
  encodeExecResize,
  encodeExecStdin,
  encodeShimCall,
  type ShimCallInput,
  type ShimPlan,
} from "@husk/wire/module-shim";
import type { TestContainer } from "../../test/support/container.ts";
import {
  findRuntime,
  makeBundle,
  ociCommands,
  removeTestCgroup,
  skipWithout,
  UNIFIED_CGROUPS,
} from "../../test/support/oci-bundle.ts";
import { ShimBench } from "../../test/support/shim-bench.ts";
import { ShimClient } from "../../test/support/shim-client.ts";
import { waitUntil } from "../../test/support/wait-until.ts";

const bench = await ShimBench.build();
after(async () => {
  await bench.remove();
  removeTestCgroup();
});
let made = 0;

for (const name of ["runc", "crun"]) {
  describe(name, { skip: skipWithout(name) }, () => {
    const begin = async (t: TestContext, script: string, changes: Partial<ShimPlan> = {}) => {
      const folder = bench.nextFolder();
      const id = `modshim-${process.pid}-${++made}`;
      await makeBundle(folder, id, script);
      const commands = ociCommands(findRuntime(name) ?? "", folder, id);
      return bench.container(t, folder, commands, changes, name === "crun" ? UNIFIED_CGROUPS : []);
    };
    const begun = async (t: TestContext, script: string, changes: Partial<ShimPlan> = {}) => {
      const container = await begin(t, script, changes);
      const shim = await container.run();
      return { container, shim };
    };
    const exec = (
      container: TestContainer,
      call: Omit<ShimCallInput & { method: "exec" }, "method">,
      input?: string,
    ) => ShimClient.call(container.plan.socket, { method: "exec", ...call }, input);
    const whenLog = (container: TestContainer, wanted: string) =>
      waitUntil(
        container.folder,
        async () => ((await container.readLog()) === wanted ? true : undefined),
        () => `the log is not ${wanted}`,
        30_000,
      );

    test("a container runs, and ends with its code", async (t) => {
      const { container } = await begun(t, "umask; echo out; echo err >&2; exit 7");
      const { exitCode, oomKilled } = await container.whenState("stopped");
      assert.deepEqual([exitCode, oomKilled], [7, undefined]);
      assert.equal(await container.readLog(), "0022\nout\nerr\n");
      const { last } = await ShimClient.call(container.plan.socket, { method: "quit" });
      assert.equal(last.kind, "state");
      assert.ok(!existsSync(join(container.folder, "runtime", container.plan.runtimeId)));
    });

    test("a program that is not there is told in the runtime's words", async (t) => {
      const container = await begin(t, "");
      const path = join(container.folder, "config.json");
      const config = JSON.parse(await readFile(path, "utf8"));
      config.process.args = ["/no/such"];
      await writeFile(path, JSON.stringify(config));
      const report = await container.startShim().report;
      assert.ok(report && "error" in report && report.error.step === "create", JSON.stringify(report));
      assert.match(report.error.runtimeLog ?? "", /no.such.*(no such file|not found)/i);
      assert.ok(!existsSync(container.plan.pidFile));
    });

    test("a container outlives its shim, and the next one takes over", async (t) => {
      const container = await begin(t, "echo one; cat /tmp/go; echo two; sleep 1000");
      execFileSync("mkfifo", [join(container.folder, "rootfs/tmp/go")]);
      const shim = await container.run();
      const { pid } = await container.readState();
      await whenLog(container, "one\n");
      shim.kill("SIGKILL");
      await once(shim, "exit");
      const { report } = container.startShim();
      assert.deepEqual(await report, { ok: true, pid, adopted: true });
      await writeFile(join(container.folder, "rootfs/tmp/go"), "between\n");
      await whenLog(container, "one\nbetween\ntwo\n");
      const { last } = await ShimClient.call(container.plan.socket, { method: "stop", graceMs: 100 });
      assert.ok(last.kind === "state" && last.state.state === "stopped" && last.state.exitUnknown);
    });

    test("a process 1 that has no handler for TERM is killed after the grace", async (t) => {
      const { container } = await begun(t, "echo begun; sleep 1000");
      // Until then it is the runtime's own program, which has a handler.
      await container.whenLogged("begun\n");
      const { last } = await ShimClient.call(container.plan.socket, { method: "stop", graceMs: 200 });
      assert.ok(last.kind === "state" && last.state.exitSignal === 9);
    });

    const skip =
      name === "crun" && UNIFIED_CGROUPS.length > 0 && "SKIPPED: crun needs cgroups of version 2 alone";
    test("one that the kernel ended for want of memory is told as such", { skip }, async (t) => {
      const container = await begin(t, "exec tail /dev/zero");
      const path = join(container.folder, "config.json");
      const config = JSON.parse(await readFile(path, "utf8"));
      config.linux.resources = { memory: { limit: 32 << 20 } };
      await writeFile(path, JSON.stringify(config));
      await container.run();
      const state = await container.whenState("stopped");
      assert.deepEqual([state.exitSignal, state.oomKilled], [9, true]);
    });

    test("an exec has its streams, environment, user and code", async (t) => {
      const { container } = await begun(t, "sleep 1000");
      const script = "cat; pwd; echo $BASE $MORE; id -u >&2; exit 5";
      const user = { uid: 1000, gid: 1000 };
      const args = ["/bin/sh", "-c", script];
      const answer = await exec(container, { args, env: ["MORE=more"], cwd: "/tmp", user }, "input\n");
      assert.deepEqual(answer, {
        last: { kind: "exit", exit: { exitCode: 5 } },
        stdout: "input\n/tmp\nbase more\n",
        stderr: "1000\n",
      });
    });

    test("an exec has a terminal, of the size that it is told", async (t) => {
      const { container } = await begun(t, "sleep 1000");
      const script = `tty; stty size; read line; echo got $line
        trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done`;
      const client = await ShimClient.connect(container.plan.socket);
      t.after(() => client.socket.destroy());
      const terminal = { rows: 30, columns: 100 };
      client.socket.write(encodeShimCall({ method: "exec", args: ["/bin/sh", "-c", script], terminal }));
      client.socket.write(encodeExecStdin(Buffer.from("hello\n")));
      const first = await client.next();
      assert.equal(first?.kind, "started", JSON.stringify(first));
      const before = await client.output("ready\r\n");
      client.socket.write(encodeExecResize({ rows: 40, columns: 120 }));
      const { last, stdout, stderr } = await client.answer();
      assert.deepEqual([last, stderr], [{ kind: "exit", exit: { exitCode: 3 } }, ""]);
      // What is typed is shown, at a moment of its own.
      const shown = (before + stdout).replace("hello\r\n", "");
      assert.equal(shown, "/dev/pts/0\r\n30 100\r\ngot hello\r\nready\r\n40 120\r\n");
    });

    test("execs that end at once have their codes, many at a time", async (t) => {
      const { container } = await begun(t, "sleep 1000");
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) => exec(container, { args: ["/bin/sh", "-c", `exit ${at}`] })),
      );
      assert.deepEqual(
        answers.map(({ last }) => last),
        answers.map((_, exitCode) => ({ kind: "exit", exit: { exitCode } })),
      );
    });

    test("an exec whose time is up is ended, and so is one whose client goes", async (t) => {
      const { container } = await begun(t, "sleep 1000");
      const { last } = await exec(container, { args: ["/bin/sleep", "1000"], timeoutMs: 200 });
      assert.deepEqual(last, { kind: "exit", exit: { exitSignal: 15, timedOut: true } });
      const client = await ShimClient.connect(container.plan.socket);
      client.send({ method: "exec", args: ["/bin/sleep", "1000"] });
      const started = await client.next();
      assert.ok(started?.kind === "started");
      client.socket.destroy();
      await waitUntil(
        container.folder,
        async () => (existsSync(`/proc/${started.pid}`) ? undefined : true),
        () => `process ${started.pid} is still there`,
        30_000,
      );
    });

    test("an exec of what is not there fails with the runtime's words", async (t) => {
      const { container } = await begun(t, "sleep 1000");
      const { last } = await exec(container, { args: ["/no/such"] });
      assert.ok(last.kind === "fault" && last.fault.code === "runtime", JSON.stringify(last));
      assert.match(last.fault.message, /no.such/);
      const state = await ShimClient.call(container.plan.socket, { method: "state" });
      assert.ok(state.last.kind === "state" && state.last.state.state === "running");
    });
  });
}
