import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  exec,
  makeSpec,
  NAMESPACES,
  runContainer,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";

useRoot();

describe("a container's process", needsDisk, () => {
  test("is the user that it is to be, by numbers or by names", async () => {
    await using session = await startSandbox();
    const id = async (process: object, more = {}) =>
      (await runContainer(session, makeSpec(sh("id; echo $HOME; umask"), {}, process), more)).stdout;
    assert.equal(
      await id({ User: { UID: 1000, GID: 5, AdditionalGids: [1002, 77] } }),
      "uid=1000(worker) gid=5(tty) groups=77,1002(extra)\n/home/worker\n0022\n",
    );
    assert.equal(await id({ User: { UID: 4242, GID: 4243 } }), "uid=4242 gid=4243\n/\n0022\n");
    assert.equal(
      await id({}, { stringUser: { uid: "worker", gid: "", additionalGids: ["tty"] } }),
      "uid=1000(worker) gid=1001(workers) groups=5(tty),1001(workers),1002(extra)\n/home/worker\n0022\n",
    );
  });

  test("has its environment, working directory and terminal", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(
      sh("env | grep -v -e PWD -e SHLVL | sort; pwd; stty size; tty; test -c /dev/console && echo console"),
      {},
      {
        Env: ["PATH=/bin", "A=b=c", "HOME=/x"],
        Cwd: "/made/here",
        Terminal: true,
        ConsoleSize: { Height: 30, Width: 90 },
      },
    );
    const { stdout, stderr, code } = await runContainer(session, spec);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(
      stdout,
      "A=b=c\nHOME=/x\nPATH=/bin\n/made/here\n30 90\n/dev/pts/0\nconsole\n".replaceAll("\n", "\r\n"),
    );
  });

  test("has the capabilities that it is given, and no others", async () => {
    await using session = await startSandbox();
    const look = async (process: object) =>
      (
        await runContainer(session, makeSpec(sh("grep -E '^(Cap|NoNew)' /proc/self/status"), {}, process))
      ).stdout
        .split("\n")
        .map((line) => line.split("\t")[1]);
    const none = "0000000000000000";
    assert.deepEqual(await look({}), [none, none, none, none, none, "0", undefined]);
    const sets = ["CAP_CHOWN", "CAP_KILL"];
    const [chown, both] = ["0000000000000001", "0000000000000021"];
    const Capabilities = {
      Bounding: sets,
      Permitted: sets,
      Effective: sets,
      Inheritable: ["CAP_CHOWN"],
      Ambient: ["CAP_CHOWN"],
    };
    assert.deepEqual(await look({ Capabilities, NoNewPrivileges: true }), [
      chown,
      both,
      both,
      both,
      chown,
      "1",
      undefined,
    ]);
    // A user that is not root keeps over execve only what is ambient.
    const user = await look({ Capabilities, User: { UID: 1000, GID: 1000 } });
    assert.deepEqual(user, [chown, chown, chown, both, chown, "0", undefined]);
  });

  test("has its limits and its place in the line of those killed for memory", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(
      sh("ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc; cat /proc/self/oom_score_adj"),
      {},
      {
        Rlimits: [
          { Type: "RLIMIT_NOFILE", Soft: 64n, Hard: 128n },
          { Type: "RLIMIT_CORE", Soft: 512n, Hard: 0xffff_ffff_ffff_ffffn },
        ],
        OOMScoreAdj: 321n,
      },
    );
    assert.equal((await runContainer(session, spec)).stdout, "64\n128\n1\nunlimited\n321\n");
  });

  test("of an exec has its own settings, and the container's surroundings", async () => {
    await using session = await startSandbox();
    await startContainer(
      session,
      "c",
      makeSpec(["/bin/sleep", "1000"], { Linux: { Namespaces: NAMESPACES } }),
    );
    const process = await exec(session, "c", "e", sh("id -u; pwd; cat /proc/self/oom_score_adj; tty"), {
      User: { UID: 1000, GID: 1001 },
      Cwd: "/home/worker",
      OOMScoreAdj: 55n,
      Terminal: true,
    });
    const { stdout } = await process.result();
    assert.equal(stdout, "1000\r\n/home/worker\r\n55\r\n/dev/pts/0\r\n");
    const request = { containerId: "c", execId: "e", process: { Args: ["true"], Cwd: "/none" } };
    assert.match((await session.refuse("ExecProcess", request)).message, /^working directory "\/none"/);
  });
});

describe("a container's system calls", needsDisk, () => {
  const Seccomp = {
    DefaultAction: "SCMP_ACT_ALLOW",
    Architectures: ["SCMP_ARCH_X86_64"],
    Syscalls: [{ Names: ["mkdir", "mkdirat"], Action: "SCMP_ACT_ERRNO", errnoret: 95, Args: [] }],
  };

  test("are filtered, also those of more processes, with or without new privileges", async () => {
    await using session = await startSandbox();
    for (const NoNewPrivileges of [true, false]) {
      for (const User of [{}, { UID: 1000, GID: 1000 }]) {
        const process = { NoNewPrivileges, User };
        const Linux = { Namespaces: NAMESPACES, Seccomp };
        const script = "mkdir /tmp/x; grep -E '^(Seccomp|CapPrm):' /proc/self/status; read x";
        const init = await startContainer(session, "c", makeSpec(sh(script), { Linux }, process));
        const other = await exec(session, "c", "e", sh(script), process);
        // With the first one the other would end, too.
        for (const one of [other, init]) {
          await one.write("x\n");
          const { stdout, stderr } = await one.result();
          assert.match(stdout, /^CapPrm:\t0{16}\nSeccomp:\t2\n$/);
          assert.equal(stderr, "mkdir: can't create directory '/tmp/x': Operation not supported\n");
        }
        await session.call("RemoveContainer", { containerId: "c" });
      }
    }
  });

  test("are not half filtered: a profile that cannot be had is refused", async () => {
    await using session = await startSandbox();
    const Linux = { Seccomp: { ...Seccomp, DefaultAction: "SCMP_ACT_X" } };
    const OCI = makeSpec(["/bin/true"], { Linux });
    const { status, message } = await session.refuse("CreateContainer", { containerId: "c", OCI });
    assert.equal(status, "INVALID_ARGUMENT");
    assert.match(message, /^linux\.seccomp: .*SCMP_ACT_X/);
  });
});
