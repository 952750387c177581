/** Disks for containers: an image with busybox in it, on a loop device of this host. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { needsStage } from "./stage.ts";

const run = promisify(execFile);
const BUSYBOX = "/bin/busybox";
const APPLETS =
  "sh cat echo true false sleep ls id pwd hostname touch stty mount wc head kill test ps grep cut tty".split(
    " ",
  );

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

async function fillImage(root: string): Promise<void> {
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
  await writeFile(join(root, "etc/group"), "root:x:0:\nworkers:x:1001:\nextra:x:1002:worker\n");
  await writeFile(join(root, "etc/hostname"), "the-image\n");
  await writeFile(join(root, "etc/resolv.conf"), "");
}

/** Makes an image and plugs it in. */
export async function plugDisk(): Promise<Disk> {
  const { fstype, tool } = format as NonNullable<typeof format>;
  const folder = await mkdtemp(join(tmpdir(), "husk-disk-"));
  const [root, image] = [join(folder, "root"), join(folder, "image")];
  await chmod(folder, 0o755);
  await fillImage(root);
  await run(tool, fstype === "erofs" ? ["--quiet", image, root] : [root, image, "-quiet"]);
  const { stdout } = await run("losetup", ["--find", "--show", "--read-only", image]);
  const device = stdout.trim();
  return {
    name: basename(device),
    fstype,
    [Symbol.asyncDispose]: async () => {
      await run("losetup", ["--detach", device]);
      await rm(folder, { recursive: true });
    },
  };
}
