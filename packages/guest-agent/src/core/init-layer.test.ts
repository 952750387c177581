import assert from "node:assert/strict";
import { chmod, chown, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import { sh, startContainer, startPod, useDisk } from "../../test/support/containers.ts";
import { fillImage, needsDisk, plugDisk } from "../../test/support/disk.ts";
import type { Session } from "../../test/support/session.ts";
import { runOwn } from "../../test/support/shell.ts";
import { makeFolder } from "../../test/support/stage.ts";

useDisk();

/** Makes the files in an image's /etc all but what a container needs. */
async function makeAwkward(image: string): Promise<void> {
  const etc = join(image, "etc");
  await rm(join(etc, "hostname"));
  await rm(join(etc, "resolv.conf"));
  await symlink("/run/systemd/resolve/stub-resolv.conf", join(etc, "resolv.conf"));
  await symlink("/nowhere", join(etc, "hosts"));
  await writeFile(join(etc, "mtab"), "of another time\n");
}

/** Such an image, as a share. */
async function makeAwkwardImage() {
  const folder = await makeFolder();
  await fillImage(folder.path);
  await makeAwkward(folder.path);
  return folder;
}

const LOOK =
  "for f in hosts hostname resolv.conf mtab; do readlink /etc/$f || stat -c '%F' /etc/$f; done; " +
  "cat /etc/hostname /etc/resolv.conf";

/** All of the image is the root. */
const WHOLE = { fstype: "", image: "/", tag: "image", initialize: true };

describe("the init layer", needsDisk, () => {
  test("makes files of what images have as links, or lack", async () => {
    await using image = await makeAwkwardImage();
    await using session = await startPod(
      { hostname: "pod", dns: ["192.0.2.1"] },
      { shares: { image: image.path } },
    );
    const process = await startContainer(session, "c", sh(LOOK), {
      ...{ fstype: "", image: "", tag: "image", initialize: true },
    });
    assert.deepEqual(await process.result(), {
      code: 0,
      stdout: "regular file\nregular file\nregular file\n/proc/mounts\npod\nnameserver 192.0.2.1\n",
      stderr: "",
    });
  });

  test("is made over a disk, whose /etc stays what it is but for those files", async () => {
    await using disk = await plugDisk(async (root) => {
      await makeAwkward(root);
      await chown(join(root, "etc"), 3, 4);
      await chmod(join(root, "etc"), 0o751);
    });
    await using session = await startPod({ hostname: "pod", dns: ["192.0.2.1"] });
    const script = `${LOOK}; stat -c '%a %u %g' /etc /etc/hosts; ls /etc; head -n 1 /etc/passwd`;
    const { name: image, fstype } = disk;
    const process = await startContainer(session, "c", sh(script), { image, fstype, initialize: true });
    const { stdout, stderr } = await process.result();
    const files = "regular file\nregular file\nregular file\n/proc/mounts\npod\nnameserver 192.0.2.1\n";
    const folder = "751 3 4\n644 0 0\ngroup\nhostname\nhosts\nmtab\npasswd\nresolv.conf\n";
    assert.equal(stdout + stderr, `${files}${folder}root:x:0:0::/root:/bin/sh\n`);
  });

  test("is made over a disk whose /etc is a link", async () => {
    await using disk = await plugDisk(async (root) => {
      await makeAwkward(root);
      await rename(join(root, "etc"), join(root, "data/etc"));
      await symlink("data/etc", join(root, "etc"));
    });
    await using session = await startPod({ hostname: "pod", dns: ["192.0.2.1"] });
    const { name: image, fstype } = disk;
    const options = { image, fstype, initialize: true };
    const process = await startContainer(session, "c", sh(`${LOOK}; readlink /etc`), options);
    const files = "regular file\nregular file\nregular file\n/proc/mounts\npod\nnameserver 192.0.2.1\n";
    assert.equal((await process.result()).stdout, `${files}data/etc\n`);
  });

  test("is left out without initialize; the pod's files are there all the same", async () => {
    await using image = await makeAwkwardImage();
    await using session = await startPod(
      { hostname: "pod", dns: ["192.0.2.1"] },
      { shares: { image: image.path } },
    );
    const process = await startContainer(session, "c", sh(LOOK), { fstype: "", image: "", tag: "image" });
    const { stdout } = await process.result();
    const links = "/nowhere\nregular file\n/run/systemd/resolve/stub-resolv.conf\nregular file\n";
    assert.equal(stdout, `${links}pod\nnameserver 192.0.2.1\n`);
  });

  test("does not touch a read-only root, which does without what it lacks", async () => {
    await using image = await makeAwkwardImage();
    await writeFile(join(image.path, "etc/own-hosts"), "192.0.2.7 seven\n");
    await rm(join(image.path, "etc/hosts"));
    await symlink("own-hosts", join(image.path, "etc/hosts"));
    const before = await readdir(join(image.path, "etc"));
    await using session = await startPod({ hostname: "pod" }, { shares: { image: image.path } });
    const script = "hostname; cat /etc/hosts; ls /etc/hostname; ls /proc/1/exe";
    const process = await startContainer(session, "c", sh(script), { ...WHOLE, readOnly: true });
    const { stdout, stderr } = await process.result();
    assert.equal(stdout, "pod\n192.0.2.7 seven\n/proc/1/exe\n");
    assert.match(stderr, /\/etc\/hostname: No such file/);
    assert.deepEqual(await readdir(join(image.path, "etc")), before);
  });

  test("gives name servers and hosts to a read-only root that lacks them, and leaves it as it is", async () => {
    await using image = await makeAwkwardImage();
    const before = await readdir(join(image.path, "etc"));
    await using session = await startPod(
      { hostname: "pod", dns: ["192.0.2.1"] },
      { shares: { image: image.path } },
    );
    const script = "cat /etc/resolv.conf; head -n 1 /etc/hosts; touch /new";
    const process = await startContainer(session, "c", sh(script), { ...WHOLE, readOnly: true });
    const { stdout, stderr } = await process.result();
    assert.equal(stdout, "nameserver 192.0.2.1\n127.0.0.1\tlocalhost\n");
    assert.match(stderr, /Read-only file system/);
    assert.deepEqual(await readdir(join(image.path, "etc")), before);
    assert.deepEqual(
      await readdir(image.path),
      (await readdir(image.path)).filter((name) => name !== "run"),
    );
  });
});

describe("the hosts of a pod", needsDisk, () => {
  const hosts = async (session: Session, id: string) => {
    const process = await startContainer(session, id, sh("cat /etc/hosts"));
    return (await process.result()).stdout.split("\n").filter(Boolean);
  };
  const LOOPBACK = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"];

  test("are the loopback's, and its own by the first address of each family", async () => {
    await using session = await startPod();
    assert.deepEqual(await hosts(session, "before"), [...LOOPBACK, "127.0.1.1\tpod"]);
    await runOwn(session, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "peer");
    const ipAddresses = [
      { ipAddress: "10.1.2.3", netMask: "24" },
      { ipAddress: "10.1.2.4", netMask: "24" },
      { ipAddress: "fd00::3", netMask: "64" },
    ];
    await session.ask(Command.SETUPINTERFACE, { device: "eth0", ipAddresses });
    assert.deepEqual(await hosts(session, "after"), [...LOOPBACK, "10.1.2.3\tpod", "fd00::3\tpod"]);
  });

  test("are the loopback's alone when the pod has no name", async () => {
    await using session = await startPod({});
    assert.deepEqual(await hosts(session, "c"), LOOPBACK);
  });
});
