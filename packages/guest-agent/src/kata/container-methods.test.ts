import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../test/support/disk.ts";
import {
  createContainer,
  exec,
  makeSpec,
  runContainer,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../test/support/kata-containers.ts";
import { KataSession } from "../../test/support/kata-session.ts";

useRoot();

const RUNNING = makeSpec.bind(undefined, ["/bin/sleep", "1000"]);

describe("the sandbox", needsDisk, () => {
  test("is made once, and may be made again when it was destroyed", async () => {
    await using session = await KataSession.start();
    assert.equal(
      (await session.refuse("CreateContainer", { containerId: "c" })).status,
      "FAILED_PRECONDITION",
    );
    for (let round = 0; round < 2; round++) {
      await session.call("CreateSandbox", { hostname: "pod", dns: ["nameserver 192.0.2.1"] });
      assert.equal((await session.refuse("CreateSandbox", {})).status, "ALREADY_EXISTS");
      const { stdout } = await runContainer(session, makeSpec(sh("hostname")));
      assert.equal(stdout, "pod\n");
      await startContainer(session, "left", RUNNING());
      await session.call("DestroySandbox", {});
      await session.call("DestroySandbox", {});
      assert.equal(
        (await session.refuse("StartContainer", { containerId: "left" })).status,
        "FAILED_PRECONDITION",
      );
    }
  });

  test("is destroyed with the containers that are just being made or removed", async () => {
    await using session = await startSandbox();
    for (let round = 0; round < 5; round++) {
      await createContainer(session, "old", RUNNING());
      const made = createContainer(session, "new", RUNNING());
      made.catch(() => {});
      const removed = session.call("RemoveContainer", { containerId: "old" });
      removed.catch(() => {});
      await session.call("DestroySandbox", {});
      await session.call("CreateSandbox", { hostname: "pod" });
      for (const containerId of ["old", "new"])
        assert.equal((await session.refuse("StartContainer", { containerId })).status, "NOT_FOUND");
    }
    assert.equal(
      (await runContainer(session, makeSpec(sh("ls /sys/fs/cgroup/husk 2>/dev/null; exit 2")))).code,
      2,
    );
  });

  test("is not made without a module that the host wants, or with a name that is too long", async () => {
    await using session = await KataSession.start();
    const kernelModules = [{ name: "no_such_module", parameters: ["a=1"] }];
    const refused = await session.refuse("CreateSandbox", { kernelModules });
    assert.equal(refused.message, 'the guest has no kernel module "no_such_module"');
    const { status } = await session.refuse("CreateSandbox", { hostname: "h".repeat(65) });
    assert.equal(status, "INVALID_ARGUMENT");
    await session.call("CreateSandbox", {});
  });
});

describe("a container", needsDisk, () => {
  test("is created, waits, is started, ends, and is known until it is removed", async () => {
    await using session = await startSandbox();
    const process = await createContainer(session, "c", makeSpec(sh("echo out; echo err >&2; exit 7")));
    assert.equal((await session.refuse("CreateContainer", { containerId: "c" })).status, "ALREADY_EXISTS");
    const { processList } = await session.call("ListProcesses", { containerId: "c", format: "json" });
    assert.equal(JSON.parse(Buffer.from(processList).toString()).length, 1);
    await session.call("StartContainer", { containerId: "c" });
    assert.deepEqual(await process.result(), { code: 7, stdout: "out\n", stderr: "err\n" });
    assert.equal(
      (await session.refuse("StartContainer", { containerId: "c" })).status,
      "FAILED_PRECONDITION",
    );
    assert.deepEqual(await Promise.all([process.wait(), process.wait(), process.wait()]), [7, 7, 7]);
    await session.call("SignalProcess", { ...process.which, signal: 9 });
    await session.call("RemoveContainer", { containerId: "c" });
    assert.equal((await session.refuse("WaitProcess", process.which)).status, "NOT_FOUND");
    assert.equal((await session.refuse("RemoveContainer", { containerId: "c" })).status, "NOT_FOUND");
  });

  test("is removed while it runs, or waits to be started", async () => {
    await using session = await startSandbox();
    for (const make of [createContainer, startContainer]) {
      const process = await make(session, "c", RUNNING());
      const end = process.wait();
      await session.call("RemoveContainer", { containerId: "c", timeout: 10 });
      assert.equal(await end, 137);
    }
  });

  test("whose program cannot be had is refused, and leaves nothing", async () => {
    await using session = await startSandbox();
    for (const [program, text] of [
      ["no-such-program", /^program "no-such-program": not found$/],
      ["/bin", /^program "\/bin": it is a directory$/],
      ["/etc/passwd", /^program "\/etc\/passwd": access .*: Permission denied$/],
    ] as const) {
      const refused = await session.refuse("CreateContainer", { containerId: "c", OCI: makeSpec([program]) });
      assert.match(refused.message, text);
    }
    assert.equal((await runContainer(session, makeSpec(["true"]))).code, 0);
  });

  test("whose program the kernel refuses is told of when it is started", async () => {
    await using session = await startSandbox();
    const script = "printf 'not a program' > /tmp-program && chmod 755 /tmp-program";
    await runContainer(session, makeSpec(["/bin/busybox", "sh", "-c", script]));
    await createContainer(session, "c", makeSpec(["/tmp-program"]));
    const { message } = await session.refuse("StartContainer", { containerId: "c" });
    assert.equal(message, 'program "/tmp-program": /tmp-program: Exec format error');
    await session.call("RemoveContainer", { containerId: "c" });
  });

  test("has more processes, each forgotten when its end was told and its output read", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", RUNNING());
    for (let round = 0; round < 3; round++) {
      const process = await exec(session, "c", "same", sh("echo $HOME; read word; echo got $word; exit 3"));
      assert.equal(await process.write("hello\n"), 6);
      assert.deepEqual(await process.result(), { code: 3, stdout: "/root\ngot hello\n", stderr: "" });
      assert.equal((await session.refuse("WaitProcess", process.which)).status, "NOT_FOUND");
    }
    const { status } = await session.refuse("ExecProcess", {
      containerId: "c",
      execId: "c",
      process: { Args: ["true"], Cwd: "/" },
    });
    assert.equal(status, "ALREADY_EXISTS");
    const missing = await session.refuse("ExecProcess", {
      containerId: "c",
      execId: "e",
      process: { Args: ["none"], Cwd: "/" },
    });
    assert.equal(missing.message, 'program "none": not found');
  });

  test("takes SIGTERM as SIGKILL without a handler, and with one as it is", async () => {
    await using session = await startSandbox();
    for (const sandboxPidns of [true, false]) {
      for (const execId of ["c", ""]) {
        const deaf = await startContainer(session, "c", RUNNING(), { sandboxPidns });
        await session.call("SignalProcess", { containerId: "c", execId, signal: 15 });
        assert.equal(await deaf.wait(), 137);
        await session.call("RemoveContainer", { containerId: "c" });
      }
      const script = "trap 'exit 5' TERM; echo ready; while true; do sleep 1000 & wait; done";
      const polite = await startContainer(session, "c", makeSpec(sh(script)), { sandboxPidns });
      await session.call("ReadStdout", { ...polite.which, len: 100 });
      await polite.signal(15);
      assert.equal(await polite.wait(), 5);
      await session.call("RemoveContainer", { containerId: "c" });
    }
    assert.equal(
      (await session.refuse("SignalProcess", { containerId: "none", signal: 9 })).status,
      "NOT_FOUND",
    );
  });

  test("lists its processes", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", RUNNING());
    const list = async (format: string, args: string[] = []) =>
      Buffer.from(
        (await session.call("ListProcesses", { containerId: "c", format, args })).processList,
      ).toString();
    assert.match(await list("json"), /^\[\d+\]$/);
    assert.match(await list("table", ["-ef"]), /^UID .*CMD\nroot .*\/bin\/sleep 1000\n$/);
    const refused = await session.refuse("ListProcesses", { containerId: "c", format: "xml" });
    assert.equal(refused.status, "INVALID_ARGUMENT");
  });
});
