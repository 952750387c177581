/** Disks for containers: an image with busybox in it, on a loop device of this host. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import {
  chmod,
  chown,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { needsStage } from "./stage.ts";

const run = promisify(execFile);
const BUSYBOX = "/bin/busybox";
const APPLETS = (
  "sh cat echo true false sleep ls id pwd hostname touch stty mount wc head kill test ps grep cut tty " +
  "stat readlink mkdir umount rm"
).split(" ");

/** The first file system for which this host has both the tool and the driver. */
const format = [
  { fstype: "erofs", tool: "/usr/bin/mkfs.erofs" },
  { fstype: "squashfs", tool: "/usr/bin/mksquashfs" },
].find(
  ({ fstype, tool }) =>
    existsSync(tool) && readFileSync("/proc/filesystems", "utf8").includes(`\t${fstype}\n`),
);

function missing(): string | false {
  if (!format) return "erofs or squashfs, in the kernel and as a tool";
  if (!existsSync("/dev/loop-control")) return "loop devices";
  // A program of a container finds no shared libraries there.
  if (!existsSync(BUSYBOX) || readFileSync(BUSYBOX).includes("/ld-linux")) return "a static busybox";
  return false;
}

const lack = missing();

/** For `test()`: a loud reason to leave a test out where containers cannot be run on the host. */
export const needsDisk: { skip: string | false } = needsStage.skip
  ? needsStage
  : { skip: lack && `SKIPPED: needs ${lack}` };

/** A disk that is plugged in. */
export interface Disk extends AsyncDisposable {
  /** kernel's name for it, such as `loop3` */
  name: string;
  fstype: string;
}

/** Fills a folder with what a container needs as its root: busybox, and a few users. */
export async function fillImage(root: string): Promise<void> {
  for (const folder of ["bin", "etc", "proc", "sys", "dev", "home/worker", "rootfs/inner"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await copyFile(BUSYBOX, join(root, "bin/busybox"));
  await chmod(join(root, "bin/busybox"), 0o755);
  for (const applet of APPLETS) await symlink("busybox", join(root, "bin", applet));
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0::/root:/bin/sh\nworker:x:1000:1001::/home/worker:/bin/sh\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\nworkers:x:1001:\nextra:x:1002:worker\ntty:x:5:\n");
  await writeFile(join(root, "etc/hostname"), "the-image\n");
  await writeFile(join(root, "etc/resolv.conf"), "");
  await fillData(join(root, "data"));
  // Where a careless agent would be led out of the root.
  await symlink("/proc/1/root/run", join(root, "escape"));
  await symlink("../../../../run", join(root, "climb"));
}

/** What a volume can be filled with: all that a copy must keep. */
async function fillData(data: string): Promise<void> {
  await mkdir(join(data, "deep"), { recursive: true });
  await writeFile(join(data, "file"), "of the image\n");
  await link(join(data, "file"), join(data, "again"));
  await symlink("file", join(data, "link"));
  await chown(join(data, "file"), 1000, 1001);
  await chmod(join(data, "file"), 0o4750);
  await chmod(join(data, "deep"), 0o711);
  await utimes(join(data, "file"), 1e9, 1e9);
}

async function plugImage(image: string, readOnly: boolean): Promise<string> {
  const options = readOnly ? ["--read-only"] : [];
  const { stdout } = await run("losetup", ["--find", "--show", ...options, image]);
  return stdout.trim();
}

/** Plugs in an empty disk that can be written to, for volumes. */
export async function plugEmptyDisk(): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), "husk-volume-"));
  const image = join(folder, "image");
  await writeFile(image, "");
  await truncate(image, 4 << 20);
  await run("mke2fs", ["-q", "-t", "ext4", "-O", "^has_journal", image]);
  const device = await plugImage(image, false);
  return {
    name: basename(device),
    fstype: "ext4",
    [Symbol.asyncDispose]: async () => {
      await run("losetup", ["--detach", device]);
      await rm(folder, { recursive: true });
    },
  };
}

/** Makes an image and plugs it in. `change`: what is done to the folder that it is made from. */
export async function plugDisk(change: (root: string) => Promise<void> = async () => {}): Promise<Disk> {
  const { fstype, tool } = format as NonNullable<typeof format>;
  const folder = await mkdtemp(join(tmpdir(), "husk-disk-"));
  const [root, image] = [join(folder, "root"), join(folder, "image")];
  await chmod(folder, 0o755);
  await fillImage(root);
  await change(root);
  await run(tool, fstype === "erofs" ? ["--quiet", image, root] : [root, image, "-quiet"]);
  const device = await plugImage(image, true);
  return {
    name: basename(device),
    fstype,
    [Symbol.asyncDispose]: async () => {
      await run("losetup", ["--detach", device]);
      await rm(folder, { recursive: true });
    },
  };
}
