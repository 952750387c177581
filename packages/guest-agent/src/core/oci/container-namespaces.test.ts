import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  exec,
  makeSpec,
  NAMESPACES,
  runContainer,
  type SpecInit,
  SYSTEM_MOUNTS,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";

useRoot();

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
