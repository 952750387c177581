import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import {
  describeContainer,
  exec,
  sh,
  startContainer,
  startPod,
  useDisk,
} from "../../test/support/containers.ts";
import { needsDisk, plugEmptyDisk } from "../../test/support/disk.ts";

useDisk();

describe("a container's devices", needsDisk, () => {
  test("are made with their numbers, modes and owners, and work", async () => {
    await using disk = await plugEmptyDisk();
    await using session = await startPod();
    const script =
      "stat -c '%n %F %t %T %a %u %g' /dev/nil /dev/a/zero /dev/null /fifo; head -c 3 /dev/a/zero | wc -c; " +
      "stat -c '%F %t' /dev/disk; head -c 1024 /dev/disk | wc -c; echo x > /dev/nil && ls /dev/console";
    const device = { type: "c" as const, major: 1, minor: 3 };
    const process = await startContainer(session, "c", sh(script), {
      devices: [
        { ...device, path: "/dev/nil", fileMode: 0o622, uid: 1000, gid: 5 },
        { ...device, path: "/dev/a/zero", type: "u", minor: 5 },
        { ...device, path: "/dev/null", fileMode: 0o600 },
        { path: "/fifo", type: "p", major: 0, minor: 0, uid: 7 },
        { path: "/dev/disk", type: "b", major: 0, minor: 0, disk: disk.name },
      ],
    });
    const { stdout, stderr } = await process.result();
    assert.deepEqual(stdout.split("\n"), [
      "/dev/nil character special file 1 3 622 1000 5",
      "/dev/a/zero character special file 1 5 666 0 0",
      "/dev/null character special file 1 3 600 0 0",
      "/fifo fifo 0 0 666 7 0",
      "3",
      "block special file 7",
      "1024",
      "",
    ]);
    assert.match(stderr, /^ls: \/dev\/console: No such file or directory\n$/);
  });

  test("are only where they can work", async () => {
    await using session = await startPod();
    for (const [path, type, more, text] of [
      ["/x", "c", {}, 'device "/x": only /dev can have devices'],
      ["/dev/../x", "b", {}, 'device "/dev/../x": only /dev can have devices'],
      ["/dev/pts", "c", {}, 'device "/dev/pts": unlink /dev/pts: Is a directory'],
      ["/dev/x", "c", { disk: "vda" }, 'device "/dev/x": a disk is a block device'],
    ] as const) {
      const { request } = describeContainer(session, "c", ["/bin/true"], {
        devices: [{ path, type, major: 1, minor: 3, ...more }],
      });
      assert.equal(await session.refuse(Command.NEWCONTAINER, request), text);
    }
  });

  test("have the first process's terminal as the console, and no other's", async () => {
    await using session = await startPod();
    const init = await startContainer(session, "c", sh("echo to the console > /dev/console; cat"), {
      process: { terminal: true, stderr: 0, user: "worker" },
    });
    await init.outputUntil((text) => text === "to the console\r\n");
    const other = await exec(session, "c", "stat -c '%u %g' /dev/pts/0; stat -c %T /dev/console $(tty)", {
      terminal: true,
      stderr: 0,
    });
    assert.equal((await other.result()).stdout, "1000 5\r\n0\r\n1\r\n");
  });
});
