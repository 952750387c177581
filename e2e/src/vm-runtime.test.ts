/** `husk-vm-runtime`, driven by hand as a shim of the container module drives it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { describe } from "node:test";
import { shell, specOf, VmRuntime } from "./support/vm-runtime.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** Ends with status 4 when it is told to. */
const LOOP = "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.1; done";

describe("a container of husk-vm-runtime", () => {
  it("waits until it is started, writes to what it was given, and ends with its status", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const script = `id; hostname; echo to stderr >&2; ${LOOP}`;
    const box = await runtime.create("box", specOf(shell(script, { user: { uid: 5, gid: 6 } })));
    assert.deepEqual(await runtime.state("box").then(({ status, pid }) => ({ status, pid })), {
      status: "created",
      pid: box.pid,
    });
    assert.equal(sessionOf(box.pid), box.pid);
    assert.equal(box.stdout.text(), "");
    await runtime.do("start", "box");
    await box.stdout.waitFor(/up\n/);
    assert.equal((await runtime.state("box")).status, "running");
    assert.match(await runtime.fail("start", "box"), /is running/);
    assert.match(await runtime.fail("delete", "box"), /is running/);
    await runtime.do("kill", "box", "TERM");
    const { stdout, stderr } = await box.ended;
    assert.equal(stdout.toString(), "uid=5 gid=6\nbox\nup\nbye\n");
    assert.equal(stderr, "to stderr\n");
    assert.deepEqual(runtime.exitOf("box"), { exitCode: 4 });
    const { status, pid } = await runtime.state("box");
    assert.deepEqual([status, pid], ["stopped", undefined]);
    await runtime.do("kill", "box", "9");
    assert.match(await runtime.fail("start", "box"), /is stopped/);
    await runtime.do("delete", "box");
    assert.match(await runtime.fail("state", "box"), /there is no pod "box"/);
    assert.match(await runtime.fail("delete", "box"), /there is no pod "box"/);
    await runtime.do("delete", "--force", "box");
  });

  it("can be killed before it begins, and deleted at any time", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const box = await runtime.create("box", specOf(shell(LOOP)));
    await runtime.do("kill", "box", "TERM");
    assert.equal((await box.ended).stdout.toString(), "");
    assert.deepEqual(runtime.exitOf("box"), { exitCode: 137 });
    assert.equal((await runtime.state("box")).status, "stopped");
    await runtime.do("delete", "box");
    const other = await runtime.create("box", specOf(shell(LOOP)));
    await runtime.do("delete", "--force", "box");
    assert.equal((await other.ended).stdout.toString(), "");
    const running = await runtime.runContainer("box", specOf(shell(`trap '' TERM; ${LOOP}`)));
    await running.stdout.waitFor(/up\n/);
    await runtime.do("delete", "--force", "box");
    await running.ended;
  });

  it("runs more processes beside it, as they are described", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const box = await runtime.runContainer("box", specOf(shell(LOOP)));
    const user = { uid: 7, gid: 8, additionalGids: [9] };
    const rlimits = [{ type: "RLIMIT_NOFILE", soft: 77, hard: 88 }];
    const process = shell("id; ulimit -n; pwd; echo $A; cat; exit 7", {
      ...{ user, rlimits, cwd: "/tmp" },
      env: ["PATH=/bin", "A=b"],
    });
    const file = runtime.writeProcess(process);
    const { status, stdout } = await runtime.run(["exec", "--process", file, "box"], { input: "typed" });
    assert.deepEqual([status, stdout.toString()], [7, "uid=7 gid=8 groups=9\n77\n/tmp\nb\ntyped"]);
    // One that is left alone has a process of its own on the host.
    const pidFile = runtime.path("pid");
    const script = "trap '' TERM; echo up; while :; do sleep 0.1; done";
    const loop = runtime.writeProcess(shell(script, { args: ["sh", "-c", script, "beside"] }));
    const exec = runtime.start(["exec", "--detach", "--process", loop, "--pid-file", pidFile, "box"]);
    await exec.stdout.waitFor(/up\n/);
    if (exec.child.exitCode === null) await once(exec.child, "exit");
    assert.equal(exec.child.exitCode, 0);
    const pid = Number(readFileSync(pidFile, "latin1"));
    assert.equal(sessionOf(pid), pid);
    await runtime.do("kill", "--pid-file", pidFile, "box", "TERM");
    assert.ok(existsSync(`/proc/${pid}`));
    await runtime.do("kill", "--pid-file", pidFile, "box", "9");
    await exec.ended;
    await runtime.do("kill", "--pid-file", pidFile, "box", "9");
    // What is sent a signal may be there for a moment yet.
    const gone = shell("while ps | grep -q [b]eside; do sleep 0.1; done; ps | grep -q [t]rap && echo gone");
    const list = await runtime.run(["exec", "--process", runtime.writeProcess(gone), "box"]);
    assert.equal(list.stdout.toString(), "gone\n");
    assert.match(
      await runtime.fail(
        "exec",
        "--process",
        runtime.writeProcess(shell("true", { args: ["nosuch"] })),
        "box",
      ),
      /nosuch/,
    );
    await runtime.do("delete", "--force", "box");
    await box.ended;
  });

  it("gets a larger VM for what it may use, and a VM that is a copy when it asks for one", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const spec = specOf(shell("cat /sys/fs/cgroup/memory.max; grep MemTotal /proc/meminfo"), [
      { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] },
    ]);
    const memory = { limit: 128 * 1024 * 1024 };
    const limited = { ...spec, linux: { ...spec.linux, resources: { ...spec.linux?.resources, memory } } };
    const box = await runtime.runContainer("box", limited);
    const [limit = "", total = ""] = (await box.ended).stdout.toString().split("\n");
    assert.equal(limit, String(memory.limit));
    assert.ok(Number(/\d+/.exec(total)?.[0]) > 300 * 1024, total);
    await runtime.do("delete", "box");
    assert.match(await refused(runtime, { ...spec, annotations: { "husk.factory": "magic" } }), /magic/);
  });
});

async function refused(runtime: VmRuntime, spec: ReturnType<typeof specOf>): Promise<string> {
  return runtime.fail("create", "--bundle", runtime.writeBundle(spec), "box");
}

/** Number of the session of a process. */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
}
