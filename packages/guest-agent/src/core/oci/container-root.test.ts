import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  makeSpec,
  NAMESPACES,
  rootPath,
  runContainer,
  SYSTEM_MOUNTS,
  sh,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";
import { makeFolder } from "../../../test/support/stage.ts";

useRoot();

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
    await symlink("/proc/1/root/tmp", join(root, "elsewhere"));
    const spec = makeSpec(
      sh("pwd -P; ls /mnt/deep /mnt/file"),
      { Root: { Path: root } },
      { Cwd: "/elsewhere/here" },
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
