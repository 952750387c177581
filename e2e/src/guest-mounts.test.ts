import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "node:test";
import { promisify } from "node:util";
import { Command } from "@husk/wire/hyperstart";
import { DrivenGuest, type GuestHardware } from "./support/driven-guest.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";

const run = promisify(execFile);

/** A folder with images of empty disks, and a share with a root in it. */
async function prepare() {
  const folder = await mkdtemp(join(tmpdir(), "h-"));
  const shared = join(folder, "shared");
  await cp(DEMO_ROOTFS, join(shared, "root"), { recursive: true, verbatimSymlinks: true });
  await mkdir(join(shared, "root/data"));
  await writeFile(join(shared, "root/data/file"), "of the image\n", { mode: 0o640 });
  await mkdir(join(shared, "volume"));
  const disks = await Promise.all(
    ["one", "two"].map(async (name) => {
      const path = join(folder, name);
      await writeFile(path, "");
      await truncate(path, 4 << 20);
      await run("mke2fs", ["-q", "-t", "ext4", "-L", name, path]);
      return path;
    }),
  );
  return {
    folder,
    shared,
    disks: disks as [string, string],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

const ROOT = { image: "root" };
const volume = { readOnly: false, dockerVolume: false, fstype: "ext4" };
const entry = { readOnly: false, dockerVolume: false };

describe("the agent in its VM", () => {
  it("has shares by virtiofs: as a root, as folders, as docker's volumes", async ({ signal }) => {
    await using place = await prepare();
    const hardware: GuestHardware = { shares: { own: place.shared, other: join(place.shared, "volume") } };
    await using guest = await DrivenGuest.boot(place.folder, hardware, signal);
    await guest.ask(Command.STARTPOD, { hostname: "pod", shareDir: "own", dns: ["192.0.2.1"] });
    const rooted = await guest.run(
      "c",
      "echo x > /new; cat /etc/hostname /etc/resolv.conf; mount | grep 'on / '",
      {
        ...ROOT,
        initialize: true,
      },
    );
    assert.equal(rooted.code, 0, rooted.text);
    assert.match(rooted.text, /^pod\nnameserver 192\.0\.2\.1\nown on \/ type virtiofs \(rw,nodev/);
    assert.equal(await readFile(join(place.shared, "root/new"), "utf8"), "x\n");

    const before = await readdir(join(place.shared, "root"));
    const fixed = await guest.run("c", "cat /not/there/file; echo y > /new; echo y > /not/there/file", {
      ...ROOT,
      readOnly: true,
      fsmap: [{ ...entry, source: "root/data", path: "/not/there", readOnly: true }],
    });
    assert.match(fixed.text, /^of the image\n.*\/new: Read-only.*\n.*\/not\/there\/file: Read-only/);
    assert.deepEqual(await readdir(join(place.shared, "root")), before);

    const docker = await guest.run("c", "stat -c '%a %n' /data/file; echo z > /data/new", {
      ...ROOT,
      initialize: true,
      fsmap: [{ ...entry, source: "", path: "/data", tag: "other", dockerVolume: true }],
    });
    assert.deepEqual(docker, { code: 0, text: "640 /data/file\n" });
    assert.deepEqual(await readdir(join(place.shared, "volume/_data")), ["file", "new"]);
    await assert.rejects(
      guest.run("c", "true", { ...ROOT, tag: "none" }),
      /^Error: share "none" \(virtiofs, no 9p: the guest's kernel lacks it\) did not appear in 10000 ms$/,
    );
    await guest.powerOff();
  });

  it("has disks as volumes, by name and by SCSI address, and as devices", async ({ signal }) => {
    await using place = await prepare();
    const [one, two] = place.disks;
    const hardware = { shares: { own: place.shared }, disks: { serial1: one }, scsiDisks: [two] };
    await using guest = await DrivenGuest.boot(place.folder, hardware, signal);
    await guest.ask(Command.STARTPOD, { shareDir: "own" });
    const volumes = [
      { ...volume, device: "serial1", mount: "/one", dockerVolume: true },
      { ...volume, device: "", addr: "0:0", mount: "/data", dockerVolume: true },
    ];
    const first = await guest.run("c", "ls /one; cat /data/file; echo x > /one/x; echo mine > /data/file", {
      ...ROOT,
      initialize: true,
      volumes,
    });
    assert.deepEqual(first, { code: 0, text: "of the image\n" });
    const script =
      "cat /one/x /data/file; grep -c ext4 /proc/mounts; dd if=/dev/disk bs=1 skip=1144 count=3 2>/dev/null";
    const second = await guest.run("c", script, {
      ...ROOT,
      initialize: true,
      volumes,
      devices: [{ path: "/dev/disk", type: "b", major: 0, minor: 0, disk: "serial1" }],
    });
    // The label of an ext4 is at byte 1144.
    assert.deepEqual(second, { code: 0, text: "x\nmine\n2\none" });
    await guest.powerOff();
  });

  it("confines a process as it is told to", async ({ signal }) => {
    await using place = await prepare();
    await using guest = await DrivenGuest.boot(place.folder, { shares: { own: place.shared } }, signal);
    await guest.ask(Command.STARTPOD, { shareDir: "own" });
    const names = ["CAP_NET_RAW", "CAP_CHECKPOINT_RESTORE"];
    const script =
      "grep -E '^Cap(Eff|Bnd|Amb)' /proc/self/status; cat /proc/sys/kernel/msgmax /proc/sys/vm/swappiness; " +
      "mount | grep -c 'on /tmp type tmpfs (rw,nosuid.*size=64k'; ls /queue";
    const confined = await guest.run("c", script, {
      ...ROOT,
      sysctl: { "kernel.msgmax": "4321", "vm.swappiness": "7" },
      mounts: [
        { destination: "/tmp", type: "tmpfs", source: "", options: ["nosuid", "size=64k"] },
        { destination: "/queue", type: "mqueue", source: "mqueue", options: [] },
      ],
      process: {
        user: "1234",
        noNewPrivileges: true,
        capabilities: {
          ...{ bounding: names, permitted: names, effective: names },
          ...{ inheritable: names, ambient: ["CAP_NET_RAW"] },
        },
      },
    });
    const raw = "0000000000002000";
    const both = "0000010000002000";
    assert.deepEqual(confined, {
      code: 0,
      text: `CapEff:\t${raw}\nCapBnd:\t${both}\nCapAmb:\t${raw}\n4321\n7\n1\n`,
    });
    await guest.powerOff();
  });
});
