import assert from "node:assert/strict";
import { cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

describe("the root file system", () => {
  it("can be written to, and what is written is gone in the next run", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const rootfs = join(place.folder, "rootfs");
    await cp(DEMO_ROOTFS, rootfs, { recursive: true, verbatimSymlinks: true });
    await writeFile(join(rootfs, "etc/greeting"), "from the host\n");
    const script = "cat /etc/greeting; rm /etc/greeting; echo new > /etc/new; ls /etc/new";
    const args = ["run", "--rm", "--rootfs", rootfs, "--", "sh", "-c"];
    for (let run = 1; run <= 2; run++) {
      const { status, stdout, stderr } = await place.husk([...args, script]);
      assert.deepEqual([status, stdout.toString(), stderr], [0, "from the host\n/etc/new\n", ""]);
    }
    assert.ok((await readdir(join(rootfs, "etc"))).includes("greeting"), "the host's directory is as it was");
    await writeFile(join(rootfs, "etc/greeting"), "changed\n");
    const changed = await place.husk([...args, "cat /etc/greeting"]);
    assert.equal(changed.stdout.toString(), "changed\n", "a change on the host is seen by the next run");
  });

  it("cannot be written to with --read-only", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stderr } = await place.husk([
      "run",
      "--rm",
      "--read-only",
      "--",
      "sh",
      "-c",
      "echo x > /etc/x",
    ]);
    assert.notEqual(status, 0);
    assert.match(stderr, /Read-only file system/);
  });

  it("may be an image", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await place.husk(["run", "--rm", "--", "true"]);
    const entries = await readdir(place.cache, { recursive: true });
    const image = entries.find((name) => name.endsWith(".erofs"));
    assert.ok(image, `no image in the cache: ${entries}`);
    const args = ["run", "--rm", "--rootfs", join(place.cache, image), "--", "echo", "hi"];
    const { status, stdout } = await place.husk(args);
    assert.deepEqual([status, stdout.toString()], [0, "hi\n"]);
  });
});
