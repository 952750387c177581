/** Bundles for real OCI runtimes: busybox as the root, and a configuration that needs no network. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Commands } from "./container.ts";

const BUSYBOX = "/bin/busybox";
const APPLETS = [
  "sh",
  "echo",
  "sleep",
  "cat",
  "id",
  "pwd",
  "env",
  "seq",
  "true",
  "false",
  "head",
  "kill",
  "stty",
  "tail",
  "tty",
];

/** Path of a runtime that is installed; undefined when it is not. */
export function findRuntime(name: string): string | undefined {
  return ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why a test with a runtime cannot run here, loudly; false when it can. */
export function skipWithout(name: string): string | false {
  if (process.getuid?.() !== 0) return `SKIPPED: needs root (${name} makes namespaces and cgroups)`;
  return findRuntime(name) === undefined && `SKIPPED: needs ${name} (apt-get install ${name})`;
}

/** Makes a bundle in a folder, whose process is a shell script. */
export async function makeBundle(folder: string, id: string, script: string): Promise<void> {
  const bin = join(folder, "rootfs/bin");
  await mkdir(bin, { recursive: true });
  await copyFile(BUSYBOX, join(bin, "busybox"));
  for (const name of APPLETS) await symlink("busybox", join(bin, name));
  for (const name of ["proc", "dev", "tmp"]) await mkdir(join(folder, "rootfs", name));
  await writeFile(join(folder, "config.json"), JSON.stringify(makeConfig(id, script)));
}

function makeConfig(id: string, script: string): object {
  const capabilities = ["CAP_KILL", "CAP_SETUID", "CAP_SETGID"];
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["/bin/sh", "-c", script],
      env: ["PATH=/bin", "BASE=base"],
      cwd: "/",
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    hostname: "web",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: ["newinstance", "ptmxmode=0666", "mode=0620"],
      },
    ],
    linux: {
      cgroupsPath: `/husk-modshim-test/${id}`,
      namespaces: ["pid", "ipc", "uts", "mount", "network"].map((type) => ({ type })),
    },
  };
}

/** The commands of runc or crun for a bundle. */
export function ociCommands(runtime: string, folder: string, id: string): Commands {
  const command = (name: string, ...args: string[]) => [
    ...[runtime, "--root", join(folder, "runtime"), "--log", join(folder, "runtime.log")],
    ...["--log-format", "json", name, ...args],
  ];
  const exec = (...args: string[]) =>
    command("exec", "--detach", ...args, "--pid-file", "{pidFile}", "--process", "{process}", id);
  return {
    create: command("create", "--bundle", folder, "--pid-file", join(folder, "pid"), id),
    start: command("start", id),
    kill: command("kill", id),
    delete: command("delete", "--force", id),
    exec: exec(),
    execTerminal: exec("--console-socket", "{console}"),
  };
}

/**
 * Runs a program so that crun finds cgroups that it takes: it refuses a machine where version 1 and controllers of version 2 are
 * used side by side.
 */
export const UNIFIED_CGROUPS: readonly string[] = existsSync("/sys/fs/cgroup/cgroup.controllers")
  ? []
  : ["unshare", "-m", "sh", "-c", 'mount -t cgroup2 none /sys/fs/cgroup && exec "$@"', "sh"];

/** Removes the cgroup above those of the tests, if nobody else's is in it. */
export function removeTestCgroup(): void {
  execFileSync("sh", [
    "-c",
    "find /sys/fs/cgroup -maxdepth 2 -name husk-modshim-test -exec rmdir {} + 2>/dev/null || true",
  ]);
}
