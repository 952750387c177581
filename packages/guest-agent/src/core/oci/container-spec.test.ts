import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  exec,
  makeSpec,
  NAMESPACES,
  rootPath,
  runContainer,
  type SpecInit,
  SYSTEM_MOUNTS,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";
import { makeFolder } from "../../../test/support/stage.ts";

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

describe("a container's root", needsDisk, () => {
  test("holds what is mounted and made in it, and nothing of the guest", async () => {
    await using session = await startSandbox();
    const script =
      "cut -d' ' -f5,6 /proc/self/mountinfo | grep -v /proc/; ls -l /dev | cut -d' ' -f1,9- | sort; test -e /run/husk || echo apart";
    const { stdout, stderr } = await runContainer(session, makeSpec(sh(script)));
    assert.equal(stderr, "");
    for (const line of [
      "/proc rw,nosuid,nodev,noexec,relatime",
      "/dev rw,nosuid",
      "/dev/pts rw,nosuid,noexec,relatime",
      "/sys ro,nosuid,nodev,noexec,relatime",
      "apart",
    ])
      assert.ok(stdout.split("\n").includes(line), `${line} is missing in\n${stdout}`);
    for (const name of ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "stdin", "fd"])
      assert.match(stdout, new RegExp(` ${name}( -> .*)?$`, "m"));
  });

  test("may be read-only, and has protected paths", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(
      sh(
        "touch /x; touch /home/worker/x; echo 1 > /proc/sys/kernel/panic; cat /etc/group; ls /data; touch /dev/shm-x && echo dev",
      ),
      { Root: { Path: rootPath(), Readonly: true } },
    );
    const Linux = {
      Namespaces: NAMESPACES,
      MaskedPaths: ["/etc/group", "/data", "/not/there"],
      ReadonlyPaths: ["/proc/sys", "/not/there"],
    };
    const { stdout, stderr } = await runContainer(session, { ...spec, Linux });
    assert.equal(stdout, "dev\n");
    assert.equal(stderr.match(/Read-only file system/g)?.length, 3, stderr);
  });

  test("has binds, file systems with their options, and propagation", async () => {
    await using folder = await makeFolder();
    await mkdir(join(folder.path, "inner"));
    await writeFile(join(folder.path, "file"), "of the guest\n");
    await using session = await startSandbox();
    const spec = makeSpec(
      sh(
        "cat /mnt/file /one; touch /mnt/new; touch /small/new && ls /copy; grep -E ' /(mnt|small|shared|mq) ' /proc/self/mountinfo | cut -d' ' -f5-7",
      ),
    );
    const Mounts = [
      ...SYSTEM_MOUNTS,
      {
        destination: "/mnt",
        type: "bind",
        source: folder.path,
        options: ["rbind", "ro", "nosuid", "rprivate"],
      },
      { destination: "/one", type: "bind", source: join(folder.path, "file"), options: ["bind"] },
      { destination: "/small", type: "tmpfs", source: "tmpfs", options: ["size=64k", "noexec", "mode=700"] },
      { destination: "/shared", type: "tmpfs", source: "tmpfs", options: ["shared", "ro"] },
      { destination: "/mq", type: "mqueue", source: "mqueue", options: ["nosuid"] },
      { destination: "/copy", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
      { destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
    ];
    const { stdout, stderr } = await runContainer(session, { ...spec, Mounts });
    assert.equal(stderr, "touch: /mnt/new: Read-only file system\n");
    assert.match(stdout, /^of the guest\nof the guest\n/);
    assert.match(stdout, /^\/mnt ro,nosuid.* -$/m);
    assert.match(stdout, /^\/small rw,noexec,relatime -$/m);
    assert.match(stdout, /^\/shared ro,relatime shared:\d+$/m);
    assert.match(stdout, /^\/mq rw,nosuid,relatime -$/m);
  });

  test("keeps hostile links inside", async () => {
    await using folder = await makeFolder();
    const root = join(folder.path, "root");
    await using session = await startSandbox();
    await mkdir(join(root, "bin"), { recursive: true });
    await writeFile(join(root, "bin/busybox"), await readFile(join(rootPath(), "bin/busybox")));
    await chmod(join(root, "bin/busybox"), 0o755);
    for (const name of ["sh", "ls", "cat", "pwd"]) await symlink("busybox", join(root, "bin", name));
    const outside = join(folder.path, "outside");
    await mkdir(outside);
    for (const name of ["proc", "dev", "sys"])
      await symlink(`../../../..${outside}/${name}`, join(root, name));
    await symlink("/proc/1/root/etc", join(root, "etc"));
    await symlink(outside, join(root, "mnt"));
    await symlink("/proc/1/root/tmp", join(root, "work"));
    const spec = makeSpec(
      sh("pwd -P; ls /mnt/deep /mnt/file"),
      { Root: { Path: root } },
      { Cwd: "/work/here" },
    );
    const Mounts = [
      ...SYSTEM_MOUNTS,
      { destination: "/mnt/deep/er", type: "tmpfs", source: "tmpfs", options: [] },
      { destination: "/mnt/file", type: "bind", source: "/etc/hostname", options: ["bind"] },
    ];
    const Linux = {
      Namespaces: NAMESPACES,
      MaskedPaths: ["/mnt/file"],
      Devices: [{ Path: "/mnt/node", Type: "c", Major: 1n, Minor: 3n, FileMode: 0o666, UID: 0, GID: 0 }],
    };
    const { stdout, code } = await runContainer(session, { ...spec, Mounts, Linux });
    assert.deepEqual([code, stdout], [0, "/tmp/here\n/mnt/file\n\n/mnt/deep:\ner\n"]);
    assert.deepEqual(await readdir(outside), []);
  });

  test("has device nodes with their owners", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(sh("stat -c '%F %t:%T %a %u %g' /dev/deep/null /dev/pipe; echo x > /dev/null"));
    const Linux = {
      Devices: [
        { Path: "/dev/deep/null", Type: "c", Major: 1n, Minor: 3n, FileMode: 0o640, UID: 1, GID: 2 },
        { Path: "/dev/pipe", Type: "p", Major: 0n, Minor: 0n, FileMode: 0o600, UID: 0, GID: 0 },
      ],
    };
    assert.deepEqual(await runContainer(session, { ...spec, Linux }), {
      code: 0,
      stdout: "character special file 1:3 640 1 2\nfifo 0:0 600 0 0\n",
      stderr: "",
    });
  });
});

describe("a container's namespaces", needsDisk, () => {
  const look = async (
    session: Awaited<ReturnType<typeof startSandbox>>,
    Namespaces: object[],
    sandboxPidns: boolean,
  ) => {
    const spec: SpecInit = makeSpec(
      sh(`for n in pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done; echo $$`),
      { Linux: { Namespaces: Namespaces as never } },
    );
    const { stdout, stderr } = await runContainer(session, spec, { sandboxPidns });
    assert.equal(stderr, "");
    return stdout.trim().split("\n");
  };

  test("are the pod's, or its own", async () => {
    await using session = await startSandbox();
    const shared = await look(session, NAMESPACES, true);
    assert.deepEqual((await look(session, [], true)).slice(0, 5), shared.slice(0, 5));
    const own = await look(session, [...NAMESPACES, { Type: "network" }, { Type: "cgroup" }], false);
    assert.equal(own[5], "1");
    assert.deepEqual(
      own.slice(0, 5).map((link, at) => link === shared[at]),
      [false, false, true, true, false],
    );
  });

  test("are joined by more processes", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(
      sh("echo ready; for n in pid net cgroup; do readlink /proc/self/ns/$n; done; read x"),
      {
        Linux: { Namespaces: [...NAMESPACES, { Type: "network" }, { Type: "cgroup" }] },
      },
    );
    const init = await startContainer(session, "c", spec, { sandboxPidns: false });
    const other = await exec(
      session,
      "c",
      "e",
      sh("for n in pid net cgroup; do readlink /proc/self/ns/$n; done"),
    );
    const { stdout } = await other.result();
    await init.write("x\n");
    assert.equal((await init.result()).stdout, `ready\n${stdout}`);
  });

  test("have their kernel parameters", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(sh("cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax; ls /sys/class/net"), {
      Linux: {
        Namespaces: [...NAMESPACES, { Type: "network" }],
        Sysctl: new Map([
          ["net.core.somaxconn", "77"],
          ["kernel.msgmax", "4321"],
        ]),
      },
    });
    assert.equal((await runContainer(session, spec)).stdout, "77\n4321\nlo\n");
  });

  test("show its cgroup", async () => {
    await using session = await startSandbox();
    const cgroup = {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["ro", "nosuid"],
    };
    for (const [own, path] of [
      [true, "/"],
      [false, "/pods/this/c"],
    ] as const) {
      const spec = makeSpec(
        sh("grep ^0: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x"),
      );
      const Mounts = [...SYSTEM_MOUNTS, cgroup];
      const Linux = {
        CgroupsPath: "/pods/this/c",
        Namespaces: own ? [...NAMESPACES, { Type: "cgroup" }] : NAMESPACES,
      };
      const { stdout, stderr } = await runContainer(
        session,
        { ...spec, Mounts, Linux },
        { sandboxPidns: false },
      );
      assert.match(stdout, new RegExp(`^0::${path}\n1\n`));
      assert.match(stderr, /Read-only file system/);
    }
  });
});
