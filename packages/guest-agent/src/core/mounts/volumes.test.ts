import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import {
  describeContainer,
  type Options,
  sh,
  startContainer,
  startPod,
  useDisk,
} from "../../../test/support/containers.ts";
import { needsDisk, plugEmptyDisk } from "../../../test/support/disk.ts";
import type { Session } from "../../../test/support/session.ts";

useDisk();

/** Runs a script as a container; gives what it wrote. */
async function output(session: Session, script: string, options: Options): Promise<string> {
  const { stdout, stderr } = await (await startContainer(session, "c", sh(script), options)).result();
  await session.command(Command.REMOVECONTAINER, { container: "c" });
  return stdout + stderr;
}

describe("a volume", needsDisk, () => {
  test("keeps what is written to it, in its folder _data", async () => {
    await using disk = await plugEmptyDisk();
    await using session = await startPod();
    const volume = { device: disk.name, fstype: disk.fstype, readOnly: false, dockerVolume: false };
    const mounted = { volumes: [{ ...volume, mount: "/not/there" }] };
    assert.equal(await output(session, "stat -c %a /not/there; echo kept > /not/there/x", mounted), "777\n");
    const script = "cat /data/x; ls -a /data; echo y > /data/y; mount | grep -c ' /data type ext4 (ro,'";
    const fixed = await output(session, script, {
      volumes: [{ ...volume, mount: "/data", readOnly: true }],
      readOnly: true,
    });
    assert.match(fixed, /^kept\n\.\n\.\.\nx\n1\n.*\/data\/y: Read-only file system\n$/);
  });

  test("of docker gets what the image has in its place, while it is new", async () => {
    await using disk = await plugEmptyDisk();
    await using session = await startPod();
    const volume = { device: disk.name, fstype: disk.fstype, readOnly: false, mount: "/data" };
    const docker = { volumes: [{ ...volume, dockerVolume: true }] };
    assert.equal(await output(session, "ls /data", docker), "", "not without initialize");
    const script = "ls /data; stat -c '%a %u %g %h' /data/file; cat /data/link; rm /data/file /data/again";
    const first = await output(session, script, { ...docker, initialize: true });
    assert.equal(first, "again\ndeep\nfile\nlink\n4750 1000 1001 2\nof the image\n");
    const second = await output(session, "ls /data", { ...docker, initialize: true });
    assert.equal(second, "deep\nlink\n", "what was removed stays so");
  });

  test("may be a file", async () => {
    await using disk = await plugEmptyDisk();
    await using session = await startPod();
    const name = ".hyper_file_volume_data_do_not_create_on_your_own";
    const volume = { device: disk.name, fstype: disk.fstype, readOnly: false, dockerVolume: false };
    await output(session, `echo one > /data/${name}`, { volumes: [{ ...volume, mount: "/data" }] });
    const script = "stat -c %a /etc/new/file; cat /etc/new/file; echo two > /etc/new/file";
    const mounted = { volumes: [{ ...volume, mount: "/etc/new/file" }] };
    assert.equal(await output(session, script, mounted), "777\none\n");
    assert.equal(await output(session, "cat /etc/new/file", mounted), "two\n");
  });

  test("that cannot be had is told of, and leaves nothing mounted", async () => {
    await using disk = await plugEmptyDisk();
    await using session = await startPod();
    const volume = { device: disk.name, readOnly: false, dockerVolume: false, mount: "/data" };
    for (const [wrong, text] of [
      [{ fstype: "nfs" }, /^volume "\/data": the guest has no NFS client/],
      [{ fstype: "nosuchfs" }, /^mount "\/data": the guest's kernel has no file system "nosuchfs"$/],
      [{ fstype: "erofs" }, /^mount "\/data": mount .*: Invalid argument$/],
    ] as const) {
      const options = { volumes: [{ ...volume, ...wrong }] };
      const { request } = describeContainer(session, "c", ["/bin/true"], options);
      assert.match(await session.refuse(Command.NEWCONTAINER, request), text);
    }
    const agent = await session.exec(sh(`grep -c ${disk.name} /proc/1/mounts; ls /run/husk/containers`));
    assert.equal((await agent.result()).stdout, "0\n");
  });
});
