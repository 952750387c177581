import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  exec,
  makeSpec,
  NAMESPACES,
  runContainer,
  SYSTEM_MOUNTS,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";

useRoot();

const map = [
  { ContainerID: 0, HostID: 100000, Size: 1000 },
  { ContainerID: 1000, HostID: 200000, Size: 10 },
];
const Linux = { Namespaces: [...NAMESPACES, { Type: "user" }], UIDMappings: map, GIDMappings: map };
const sets = ["CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_SETUID"];
const Capabilities = { Bounding: sets, Permitted: sets, Effective: sets };
const Mounts = [...SYSTEM_MOUNTS, { destination: "/small", type: "tmpfs", source: "tmpfs", options: [] }];

describe("a container with a user namespace", needsDisk, () => {
  test("is root for itself, and nobody for the guest", async () => {
    await using session = await startSandbox();
    const script =
      "id; cat /proc/self/uid_map; touch /small/mine && stat -L -c '%u %g' /small/mine /dev/null /dev/stdin /bin; " +
      "touch /not-mine; mount -t tmpfs x /small && echo mounted; read x";
    for (const sandboxPidns of [true, false]) {
      const spec = makeSpec(sh(script), { Linux, Mounts }, { Capabilities });
      const init = await startContainer(session, "c", spec, { sandboxPidns });
      const table = await session.call("ListProcesses", {
        containerId: "c",
        format: "table",
        args: ["-o", "uid"],
      });
      assert.match(Buffer.from(table.processList).toString(), /^ *UID\n *100000\n/);
      const other = await exec(
        session,
        "c",
        "e",
        sh("id; touch /small/other && stat -c '%u %g' /small/other"),
        {
          User: { UID: 1000, GID: 0 },
          Capabilities,
        },
      );
      const { stdout, stderr } = await other.result();
      assert.deepEqual([stdout, stderr], ["uid=1000(worker) gid=0(root)\n1000 0\n", ""]);
      await init.write("x\n");
      const result = await init.result();
      assert.match(result.stdout, /^uid=0\(root\) gid=0\(root\)\n +0 +100000 +1000\n +1000 +200000 +10\n/);
      assert.match(result.stdout, /\n0 0\n0 0\n0 0\n65534 65534\nmounted\n$/);
      assert.match(result.stderr, /^touch: \/not-mine: Permission denied\n$/);
      await session.call("RemoveContainer", { containerId: "c" });
    }
  });

  test("has terminals of its own", async () => {
    await using session = await startSandbox();
    const spec = makeSpec(
      sh("tty; stat -c '%u %g' /dev/pts/0; echo x > /dev/console"),
      { Linux },
      { Terminal: true },
    );
    const { stdout } = await runContainer(session, spec);
    assert.equal(stdout, "/dev/pts/0\r\n0 5\r\nx\r\n");
  });

  test("is refused without maps, or with a user whom they do not have", async () => {
    await using session = await startSandbox();
    for (const [spec, text] of [
      [
        makeSpec(["true"], { Linux: { ...Linux, UIDMappings: [] } }),
        /^linux\.uidMappings must have 1 to 340 entries/,
      ],
      [
        makeSpec(["true"], { Linux: { ...Linux, Namespaces: [] } }),
        /are for a user namespace, of which there is none$/,
      ],
      [
        makeSpec(["true"], { Linux: { ...Linux, UIDMappings: [map[0] as object, map[0] as object] } }),
        /^the maps of the user namespace: .*Invalid argument/,
      ],
      [
        makeSpec(["true"], { Linux }, { User: { UID: 5000 } }),
        /^user 5000 is not mapped in the user namespace$/,
      ],
    ] as const) {
      assert.match((await session.refuse("CreateContainer", { containerId: "c", OCI: spec })).message, text);
    }
  });
});
