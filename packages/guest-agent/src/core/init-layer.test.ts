import assert from "node:assert/strict";
import { readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sh, startContainer, startPod, useDisk } from "../../test/support/containers.ts";
import { fillImage, needsDisk } from "../../test/support/disk.ts";
import { makeFolder } from "../../test/support/stage.ts";

useDisk();

/** An image whose files in /etc are all but what a container needs, as a share. */
async function makeAwkwardImage() {
  const folder = await makeFolder();
  await fillImage(folder.path);
  const etc = join(folder.path, "etc");
  await rm(join(etc, "hostname"));
  await rm(join(etc, "resolv.conf"));
  await symlink("/run/systemd/resolve/stub-resolv.conf", join(etc, "resolv.conf"));
  await symlink("/nowhere", join(etc, "hosts"));
  await writeFile(join(etc, "mtab"), "of another time\n");
  return folder;
}

const LOOK =
  "for f in hosts hostname resolv.conf mtab; do readlink /etc/$f || stat -c '%F' /etc/$f; done; " +
  "cat /etc/hostname /etc/resolv.conf";

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
      stdout: "regular empty file\nregular file\nregular file\n/proc/mounts\npod\nnameserver 192.0.2.1\n",
      stderr: "",
    });
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
    const before = await readdir(join(image.path, "etc"));
    await using session = await startPod({ hostname: "pod" }, { shares: { image: image.path } });
    const process = await startContainer(session, "c", sh("hostname; ls /etc/hostname; ls /proc/1/exe"), {
      ...{ fstype: "", image: "/", tag: "image", initialize: true, readOnly: true },
    });
    const { stdout, stderr } = await process.result();
    assert.equal(stdout, "pod\n/proc/1/exe\n");
    assert.match(stderr, /\/etc\/hostname: No such file/);
    assert.deepEqual(await readdir(join(image.path, "etc")), before);
  });
});
