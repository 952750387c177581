import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../test/support/disk.ts";
import {
  exec,
  makeSpec,
  PulledProcess,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../test/support/kata-containers.ts";

useRoot();

const SLEEP = ["/bin/sleep", "1000"];

describe("a process's streams", needsDisk, () => {
  test("carry what 50 processes write at once, each its own", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", makeSpec(SLEEP));
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const script = `head -c 100000 /dev/zero | cat > /dev/stdout; echo ${at}; echo e${at} >&2; exit ${at}`;
        const process = await exec(session, "c", `e${at}`, sh(script));
        const { code, stdout, stderr } = await process.result();
        return [code, stdout.length, stdout.slice(100000), stderr];
      }),
    );
    assert.deepEqual(
      results,
      Array.from({ length: 50 }, (_, at) => [at, 100000 + `${at}\n`.length, `${at}\n`, `e${at}\n`]),
    );
  });

  test("are read when somebody asks, and not before; what is left is there after the end", async () => {
    await using session = await startSandbox();
    const process = await startContainer(session, "c", makeSpec(sh("echo one; echo two; exit 3")));
    assert.equal(await process.wait(), 3);
    for (const [len, text] of [
      [2, "on"],
      [0, ""],
      [100, "e\ntwo\n"],
    ] as const) {
      const { data } = await session.call("ReadStdout", { ...process.which, len });
      assert.equal(Buffer.from(data).toString(), text);
    }
    const { status, message } = await session.refuse("ReadStdout", { ...process.which, len: 1 });
    assert.deepEqual([status, message], ["UNKNOWN", "EOF"]);
    assert.equal((await session.refuse("ReadStderr", { ...process.which, len: 1 })).message, "EOF");
  });

  test("are read to their end while the sandbox is ending, and the exit status is told", async () => {
    await using session = await startSandbox();
    const script = "trap 'echo bye; exit 4' TERM; echo up; while :; do read -t 1 x < /dev/zero; done";
    const process = await startContainer(session, "c", makeSpec(sh(script)));
    const ended = process.wait();
    const read = async () => {
      const { data } = await session.call("ReadStdout", { ...process.which, len: 100 });
      return Buffer.from(data).toString();
    };
    assert.equal(await read(), "up\n");
    const destroyed = session.call("DestroySandbox", {});
    // It has arrived when a later call of the same connection is answered.
    await session.health("Check");
    assert.equal(
      (await session.refuse("ExecProcess", { containerId: "c", execId: "e" })).status,
      "FAILED_PRECONDITION",
    );
    assert.equal(await read(), "bye\n");
    assert.equal((await session.refuse("ReadStdout", { ...process.which, len: 1 })).message, "EOF");
    assert.equal(await ended, 4);
    await destroyed;
  });

  test("lose nothing when whoever reads goes away", async () => {
    await using session = await startSandbox();
    const process = await startContainer(session, "c", makeSpec(sh("read x; echo $x; sleep 1000")));
    const other = session.connect();
    const lost = [1, 2, 3].map(() => other.call("ReadStdout", { ...process.which, len: 10 }));
    for (const one of lost) one.catch(() => {});
    const waited = other.call("WaitProcess", process.which);
    waited.catch(() => {});
    // They have arrived when a later call of the same connection is answered.
    await other.health("Check");
    other.stream.reset();
    await session.health("Check");
    await process.write("hello\n");
    const { data } = await session.call("ReadStdout", { ...process.which, len: 10 });
    assert.equal(Buffer.from(data).toString(), "hello\n");
  });

  test("make who writes wait until the process reads, and take all of it", async () => {
    await using session = await startSandbox();
    const script = "read go < /fifo; wc -c; cat > /dev/null";
    await startContainer(session, "c", makeSpec(SLEEP));
    await (await exec(session, "c", "mk", ["/bin/busybox", "mkfifo", "/fifo"])).result();
    const process = await exec(session, "c", "e", sh(script));
    const writing = process.write(new Uint8Array(1 << 20));
    const first = await Promise.race([writing, session.health("Check").then(() => "waits")]);
    assert.equal(first, "waits");
    await (await exec(session, "c", "go", sh("echo go > /fifo"))).result();
    assert.equal(await writing, 1 << 20);
    await process.closeInput();
    assert.equal((await process.result()).stdout, `${1 << 20}\n`);
    await (await exec(session, "c", "rm", ["/bin/rm", "/fifo"])).result();
  });

  test("take no input that nobody will read", async () => {
    await using session = await startSandbox();
    const process = await startContainer(
      session,
      "c",
      makeSpec(sh("exec <&-; echo closed; read x; sleep 1000")),
    );
    await session.call("ReadStdout", { ...process.which, len: 100 });
    const { status, message } = await session.refuse("WriteStdin", {
      ...process.which,
      data: Buffer.from("x"),
    });
    assert.deepEqual([status, message], ["FAILED_PRECONDITION", "the process takes no more input"]);
    await process.closeInput();
  });

  test("may be a terminal, which is resized", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", makeSpec(SLEEP));
    const script = "stty size; read word; stty size; echo got $word";
    const process = await exec(session, "c", "e", sh(script), {
      Terminal: true,
      ConsoleSize: { Height: 30, Width: 90 },
    });
    assert.equal(
      Buffer.from((await session.call("ReadStdout", { ...process.which, len: 100 })).data).toString(),
      "30 90\r\n",
    );
    await session.call("TtyWinResize", { ...process.which, row: 31, column: 91 });
    await process.write("hello\n");
    assert.deepEqual(await process.result(), {
      code: 0,
      stdout: "hello\r\n31 91\r\ngot hello\r\n",
      stderr: "",
    });
    const refused = await session.refuse("TtyWinResize", {
      containerId: "c",
      execId: "c",
      row: 1,
      column: 1,
    });
    assert.equal(refused.message, "the process has no terminal");
  });

  test("of processes that nobody cares for do not pile up", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", makeSpec(SLEEP));
    for (let at = 0; at < 144; at++) await (await exec(session, "c", `e${at}`, sh("echo unread"))).wait();
    const known = await Promise.all(
      Array.from({ length: 144 }, (_, at) =>
        new PulledProcess(session, "c", `e${at}`).wait().then(
          () => true,
          () => false,
        ),
      ),
    );
    assert.deepEqual([known.indexOf(true), known.filter(Boolean).length], [16, 128]);
  });
});

describe("an agent with a Kata door", needsDisk, () => {
  test("is as it was after 200 processes and 20 containers", async () => {
    await using session = await startSandbox();
    const look = async () => {
      const script =
        "read go; ls /proc/1/fd | wc -l; grep -c /run/husk /proc/1/mounts; ls /run/husk/containers /sys/fs/cgroup/husk";
      const spec = makeSpec(sh(script), {
        Root: { Path: "/" },
        Mounts: [],
        Linux: { Namespaces: [] },
      });
      const process = await startContainer(session, "look", spec);
      // Not before the agent has let go of what starting it took.
      await process.write("go\n");
      const { stdout } = await process.result();
      await session.call("RemoveContainer", { containerId: "look" });
      return stdout;
    };
    const round = async () => {
      await startContainer(session, "c", makeSpec(SLEEP), { sandboxPidns: false });
      for (let at = 0; at < 10; at++) await (await exec(session, "c", "e", sh("echo x"))).result();
      await session.call("RemoveContainer", { containerId: "c" });
    };
    await round();
    const before = await look();
    for (let at = 0; at < 20; at++) await round();
    assert.equal(await look(), before);
  });
});
