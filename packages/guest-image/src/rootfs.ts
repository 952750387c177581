import { chmod, copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/** folders and their modes; the container's mounts go onto dev, proc and sys */
const DIRECTORIES: readonly (readonly [string, number])[] = [
  ["bin", 0o755],
  ["dev", 0o755],
  ["etc", 0o755],
  ["home", 0o755],
  ["proc", 0o555],
  ["root", 0o700],
  ["run", 0o755],
  ["sbin", 0o755],
  ["sys", 0o555],
  ["tmp", 0o1777],
  ["usr", 0o755],
  ["usr/bin", 0o755],
  ["usr/sbin", 0o755],
  ["var", 0o755],
  ["var/tmp", 0o1777],
];

const FILES: Readonly<Record<string, string>> = {
  "etc/passwd": [
    "root:x:0:0:root:/root:/bin/sh",
    "daemon:x:1:1:daemon:/usr/sbin:/bin/false",
    "nobody:x:65534:65534:nobody:/nonexistent:/bin/false",
    "",
  ].join("\n"),
  "etc/group": ["root:x:0:", "daemon:x:1:", "tty:x:5:", "nogroup:x:65534:", ""].join("\n"),
  "etc/os-release": ["NAME=busybox", "ID=busybox", 'PRETTY_NAME="husk demo (busybox)"', ""].join("\n"),
};

/** A name of one of busybox's programs with its folder, such as "bin/ls". */
const APPLET = /^(usr\/)?s?bin\/[A-Za-z0-9_.[-]+$/;

/**
 * Makes the small root file system that the demo and the tests run their containers in: a static busybox
 * under all its names and the few files that programs look for.
 *
 * @param busybox the static busybox of the host
 * @param folder where the file system goes; what is there is replaced
 * @throws CommandError when busybox does not run
 */
export async function buildDemoRootfs(busybox: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Modes are set apart from the creation, where the umask would take bits away.
  await chmod(folder, 0o755);
  for (const [path, mode] of DIRECTORIES) {
    await mkdir(join(folder, path));
    await chmod(join(folder, path), mode);
  }
  for (const [path, text] of Object.entries(FILES)) {
    await writeFile(join(folder, path), text);
    await chmod(join(folder, path), 0o644);
  }
  await copyFile(busybox, join(folder, "bin/busybox"));
  await chmod(join(folder, "bin/busybox"), 0o755);
  for (const applet of await listApplets(busybox)) {
    if (applet !== "bin/busybox") await symlink("/bin/busybox", join(folder, applet));
  }
}

/** Asks a busybox for the names of its programs, with their folders. */
async function listApplets(busybox: string): Promise<string[]> {
  const { stdout } = await runCommand(busybox, ["--list-full"], { maxOutput: 64 * 1024, timeoutMs: 10_000 });
  return stdout
    .toString()
    .split("\n")
    .filter((line) => APPLET.test(line));
}
