import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import {
  describeContainer,
  exec,
  type Options,
  sh,
  startContainer,
  startPod,
  useDisk,
} from "../../test/support/containers.ts";
import { needsDisk } from "../../test/support/disk.ts";

useDisk();

describe("a container", needsDisk, () => {
  test("has its own root and processes, and sees nothing of the guest", async () => {
    await using session = await startPod();
    const script =
      "ls /; ls /dev; mount | cut -d' ' -f3,5 | grep -v /proc/; ls /proc | grep -c '^[0-9]'; test -e /run/husk || echo apart";
    const { stdout, stderr } = await (await startContainer(session, "c", sh(script))).result();
    assert.equal(stderr, "");
    const lines = stdout.split("\n");
    for (const word of [
      "/ overlay",
      "/proc proc",
      "/sys sysfs",
      "/dev tmpfs",
      "/dev/pts devpts",
      "/dev/shm tmpfs",
      "apart",
      "null",
      "ptmx",
    ]) {
      assert.ok(lines.includes(word), `${word} is missing in\n${stdout}`);
    }
    assert.ok(!lines.includes("boot") && !lines.includes("loop0"), stdout);
  });

  test("finds nothing of the guest behind the pod's first process", async () => {
    await using session = await startPod();
    const script = "ls -A /proc/1/root; grep CapPrm /proc/1/status; ls /proc/1/fd";
    const { stdout, stderr } = await (await startContainer(session, "c", sh(script))).result();
    assert.equal(stdout + stderr, "CapPrm:\t0000000000000000\n0\n1\n2\n");
  });

  test("can be written to, but for nobody else and not for long; or not at all", async () => {
    await using session = await startPod();
    const script = "touch /bin/new && ls /bin/new";
    for (const id of ["one", "two"]) {
      const process = await startContainer(session, id, sh(`test ! -e /bin/new && ${script}`));
      assert.deepEqual(await process.result(), { code: 0, stdout: "/bin/new\n", stderr: "" });
    }
    const fixed = await (await startContainer(session, "fixed", sh(script), { readOnly: true })).result();
    assert.deepEqual([fixed.code, fixed.stderr], [1, "touch: /bin/new: Read-only file system\n"]);
  });

  test("may have a folder of the image as its root, but no other", async () => {
    await using session = await startPod();
    for (const [rootfs, text] of [
      ["../..", /leaves the image/],
      ["bin/sh", /not a folder/],
      ["none", /No such file/],
    ] as const) {
      const { request } = describeContainer(session, "c", ["/bin/true"], { rootfs });
      assert.match(await session.refuse(Command.NEWCONTAINER, request), text);
    }
    const process = await startContainer(session, "c", ["/bin/true"], { rootfs: "/" });
    assert.equal((await process.result()).code, 0);
  });

  test("knows its own users", async () => {
    await using session = await startPod();
    const process = await startContainer(session, "c", sh("id; echo $HOME $USER; pwd"), {
      process: { user: "worker", workdir: "/home/worker" },
    });
    const expected =
      "uid=1000(worker) gid=1001(workers) groups=1001(workers),1002(extra)\n/home/worker worker\n/home/worker\n";
    assert.equal((await process.result()).stdout, expected);
  });

  test("has terminals, which keep working after its id was asked for again (row 9)", async () => {
    await using session = await startPod();
    const init = await startContainer(session, "c", sh("cat"));
    const { request } = describeContainer(session, "c", ["/bin/true"], {});
    assert.equal(await session.refuse(Command.NEWCONTAINER, request), 'container "c" is there already');
    const script = "stty size; tty; read word; stty size; echo got $word";
    const shell = await exec(session, "c", script, {
      id: "shell",
      terminal: true,
      stderr: 0,
      rows: 30,
      columns: 90,
    });
    await shell.outputUntil((output) => output.includes("pts"));
    await session.ask(Command.WINSIZE, { container: "c", process: "shell", row: 31, column: 91 });
    await shell.write("hello\n");
    assert.deepEqual(await shell.result(), {
      code: 0,
      stdout: "30 90\r\n/dev/pts/0\r\nhello\r\n31 91\r\ngot hello\r\n",
      stderr: "",
    });
    const size = { container: "c", process: "init", row: 1, column: 1 };
    assert.equal(await session.refuse(Command.WINSIZE, size), "the process has no terminal");
    await init.endInput();
    assert.equal((await init.result()).code, 0);
  });

  test("takes 1 MiB of input through a terminal's back-pressure", async () => {
    await using session = await startPod();
    await startContainer(session, "c", sh("cat"));
    const script = "stty raw -echo; echo ready; head -c 1048576 | wc -c";
    const process = await exec(session, "c", script, { terminal: true, stderr: 0 });
    await process.outputUntil((output) => output === "ready\r\n" || output === "ready\n");
    await process.write(Buffer.alloc(1 << 20, "x"));
    assert.match((await process.result()).stdout, /1048576/);
  });

  test("has more processes, each known by container and id (row 10)", async () => {
    await using session = await startPod();
    for (const id of ["one", "two"]) await startContainer(session, id, sh(`echo ${id} > /tag; cat`));
    for (const id of ["one", "two"]) {
      // The first process has perhaps not come so far; the second waits for what it leaves.
      const process = await exec(session, id, "until test -s /tag; do true; done; cat /tag", { id: "same" });
      assert.deepEqual(await process.result(), { code: 0, stdout: `${id}\n`, stderr: "" });
    }
    const { spec } = session.prepare(["/bin/true"], "one", { id: "init" });
    assert.equal(
      await session.refuse(Command.EXECCMD, { container: "one", process: spec }),
      'process id "init" is in use',
    );
  });

  test("cannot be hurt by a process that does not start (row 1)", async () => {
    await using session = await startPod();
    await startContainer(session, "c", sh("cat"));
    for (const more of [{ workdir: "/none" }, { user: "none" }, { group: "none" }]) {
      const { spec } = session.prepare(["/bin/true"], "c", more);
      assert.match(await session.refuse(Command.EXECCMD, { container: "c", process: spec }), /none/);
    }
    const missing = await session.exec(["no-such-program"], { container: "c" });
    assert.equal((await missing.result()).code, 127);
    assert.equal((await (await exec(session, "c", "exit 5")).result()).code, 5);
  });

  test("ends with its first process, whoever else is in it (row 12)", async () => {
    await using session = await startPod();
    const init = await startContainer(session, "c", sh("read word; exit 6"));
    const other = await exec(session, "c", "trap '' TERM; echo ready; sleep 1000 & sleep 1000");
    await other.outputUntil((output) => output === "ready\n");
    await init.write("go\n");
    assert.equal((await init.result()).code, 6);
    assert.equal((await other.result()).code, 137);
    // Refused when the last process, an orphan that nobody hears of, is gone already; else done when it is.
    await session.command(Command.REMOVECONTAINER, { container: "c" });
    assert.match(
      await session.refuse(Command.KILLCONTAINER, { container: "c", signal: 0 }),
      /^no such container: "c"$/,
    );
  });

  test("is signalled and removed; its id can then be used again", async () => {
    await using session = await startPod();
    const init = await startContainer(session, "c", ["/bin/sleep", "1000"]);
    assert.equal(
      await session.refuse(Command.REMOVECONTAINER, { container: "c" }),
      'container "c" is running',
    );
    await session.ask(Command.KILLCONTAINER, { container: "c", signal: 0 });
    await session.ask(Command.KILLCONTAINER, { container: "c", signal: 9 });
    assert.equal((await init.result()).code, 137);
    for (let round = 0; round < 3; round++) {
      const next = await startContainer(session, "c", sh("exit 0"));
      assert.equal((await next.result()).code, 0);
    }
    assert.match(
      await session.refuse(Command.KILLCONTAINER, { container: "none", signal: 9 }),
      /^no such container: "none"$/,
    );
  });

  test("that cannot be had is an ERROR, and leaves nothing in the way (row 4)", async () => {
    await using session = await startPod();
    const faults: [Options | { process: undefined }, RegExp][] = [
      [{ process: undefined }, /^process: is missing$/],
      [{ volumes: [{ device: "x", mount: "/x" }] as never }, /^volumes\[0\]\.fstype: is missing$/],
      [{ fsmap: [{ source: "x", path: "/x" }] as never }, /^the pod has no share/],
      [{ fstype: "" }, /^the pod has no share/],
      [{ tag: "none", fstype: "" }, /share "none"/],
      [{ tag: "../x", fstype: "" }, /"..\/x" is not the tag of a share/],
      [{ fstype: "nosuchfs" }, /kernel has no file system "nosuchfs"/],
      [{ image: "../sda" }, /is not the name of a disk/],
      [{ id: "hyperstart" }, /is reserved/],
      [{ id: "a/b" }, /^id: /],
      [{ process: { workdir: "/none" } }, /working directory/],
      [{ process: { user: "none" } }, /unknown user/],
      [{ sysctl: { "kernel/../../x": "1" } }, /is not a name/],
      [{ sysctl: { "net.none": "1" } }, /^sysctl net.none=1: .*No such file/],
      [{ sysctl: { "net.core.somaxconn": "x" } }, /^sysctl net.core.somaxconn=x: .*Invalid argument/],
    ];
    for (const [options, text] of faults) {
      const { request } = describeContainer(session, "c", ["/bin/true"], options as Options);
      const payload = "process" in options && !options.process ? { ...request, process: undefined } : request;
      assert.match(await session.refuse(Command.NEWCONTAINER, payload), text);
    }
    assert.equal((await (await startContainer(session, "c", ["/bin/true"])).result()).code, 0);
  });

  test("gets its kernel parameters, the first files and its working directory", async () => {
    await using session = await startPod();
    const script =
      "cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/conf/lo/forwarding /proc/sys/kernel/msgmax; pwd; ls -l /etc/mtab | cut -d'>' -f2; ls /etc/hosts";
    const process = await startContainer(session, "c", sh(script), {
      sysctl: { "net.core.somaxconn": "77", "net/ipv4/conf/lo/forwarding": "1", "kernel.msgmax": "4321" },
      initialize: true,
      process: { workdir: "/srv/here" },
    });
    assert.deepEqual(await process.result(), {
      code: 0,
      stdout: "77\n1\n4321\n/srv/here\n /proc/mounts\n/etc/hosts\n",
      stderr: "",
    });
  });

  test("that has ended leaves nothing in the agent: 30 of them", async () => {
    await using session = await startPod();
    const look = async () => {
      const script =
        "read go; ls /proc/1/fd | wc -l; grep -c /run/husk /proc/1/mounts; ls /run/husk/containers /sys/fs/cgroup/husk";
      // It looks when the agent is through with starting it.
      const process = await session.exec(sh(script));
      await process.write("go\n");
      return (await process.result()).stdout;
    };
    const runOne = async (id: string) => {
      assert.equal((await (await startContainer(session, id, ["/bin/true"])).result()).code, 0);
      // When it is forgotten, all of it is gone.
      await session.command(Command.REMOVECONTAINER, { container: id });
    };
    await runOne("first");
    const before = await look();
    for (let at = 0; at < 30; at++) await runOne(`c${at}`);
    assert.equal(await look(), before);
  });
});
