import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "./errors.mjs";
import { runCommand } from "./run-command.mjs";

/**
 * @typedef {object} DebianPackage
 * @property {string} name Debian's name for it
 * @property {string[]} files files that it owns: all there means installed, with no dpkg process asked
 * @property {string} why what husk needs it for
 */

/** @type {DebianPackage[]} */
export const DEBIAN_PACKAGES = [
  {
    name: "qemu-system-x86",
    files: ["/usr/bin/qemu-system-x86_64", "/usr/share/qemu/qboot.rom"],
    why: "runs the virtual machines",
  },
  {
    name: "qemu-system-common",
    files: ["/usr/lib/qemu/virtiofsd"],
    why: "shares directories of the host with a virtual machine",
  },
  { name: "erofs-utils", files: ["/usr/bin/mkfs.erofs"], why: "packs root file systems into images" },
  {
    name: "busybox-static",
    // The busybox package puts a dynamic program into the same place.
    files: ["/bin/busybox", "/var/lib/dpkg/info/busybox-static.list"],
    why: "is the root file system of the demo and the tests",
  },
  { name: "musl-tools", files: ["/usr/bin/musl-gcc"], why: "links the guest's agent statically" },
  { name: "gcc", files: ["/usr/bin/gcc"], why: "compiles QuickJS and the system-call binding" },
  {
    name: "libc6-dev",
    files: ["/usr/include/stdio.h", "/usr/lib/x86_64-linux-gnu/libm.so"],
    why: "lets the QuickJS compiler be built for this machine",
  },
  {
    name: "linux-libc-dev",
    files: ["/usr/include/linux/version.h"],
    why: "declares the kernel's interfaces to the system-call binding",
  },
  {
    name: "binutils",
    files: ["/usr/bin/strip"],
    why: "takes what a running kernel needs not out of its modules",
  },
  { name: "iproute2", files: ["/bin/ip", "/sbin/tc"], why: "joins network interfaces to virtual machines" },
  {
    name: "containernetworking-plugins",
    files: ["/usr/lib/cni/bridge", "/usr/lib/cni/portmap"],
    why: "makes the networks of pods",
  },
  { name: "runc", files: ["/usr/sbin/runc"], why: "runs the container module's containers without a VM" },
  { name: "crun", files: ["/usr/bin/crun"], why: "does so too, in the tests" },
  { name: "e2fsprogs", files: ["/sbin/mke2fs"], why: "makes disk images for the tests" },
  { name: "xz-utils", files: ["/usr/bin/xz"], why: "unpacks the QuickJS source" },
  {
    name: "debian-archive-keyring",
    files: ["/usr/share/keyrings/debian-archive-keyring.gpg"],
    why: "verifies what comes from Debian's mirror",
  },
];

/** Gives the packages that are not installed. */
export function findMissingPackages(packages = DEBIAN_PACKAGES) {
  return packages.filter(({ files }) => !files.every((file) => existsSync(file)));
}

/**
 * Makes sure that packages could be installed here, asking for sudo's password if there is somebody to ask.
 *
 * @param {DebianPackage[]} missing
 * @returns {string[]} what to put before a command to run it as root
 * @throws {SetupError} when this is not Debian on amd64, or when there is neither root nor sudo
 */
export function getRootAccess(missing) {
  checkMachine(missing);
  if (process.getuid?.() === 0) return [];
  if (findInPath("sudo") !== undefined) {
    // Without a terminal nobody can type a password, so sudo must not ask for one.
    const sudo = process.stdin.isTTY ? ["sudo"] : ["sudo", "--non-interactive"];
    const args = [...sudo.slice(1), "true"];
    if (spawnSync("sudo", args, { stdio: process.stdin.isTTY ? "inherit" : "ignore" }).status === 0)
      return sudo;
  }
  throw new SetupError(`Debian packages are missing, and installing them needs root:\n${describe(missing)}`, {
    hint: `as root: ${installCommand(missing).join(" ")}`,
  });
}

/**
 * Installs packages with apt.
 *
 * @param {DebianPackage[]} missing
 * @param {string[]} asRoot from {@link getRootAccess}
 * @param {number} lock the set-up's lock, for apt to hold as well
 * @throws {SetupError} when apt fails
 */
export async function installPackages(missing, asRoot, lock) {
  const install = installCommand(missing);
  const hint = `try it by hand: ${[...asRoot, ...install].join(" ")}`;
  try {
    await runAsRoot(asRoot, [...install, "--yes"], lock, hint);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    // Most often the package lists are missing (a fresh container) or too old for what the mirror still has.
    await runAsRoot(asRoot, ["apt-get", "update"], lock, "is there a way to the network?");
    await runAsRoot(asRoot, [...install, "--yes"], lock, hint);
  }
  const still = findMissingPackages(missing);
  if (still.length > 0) {
    const names = still.map(({ name }) => name);
    throw new SetupError(`installed, but not whole: ${names.join(", ")}`, {
      hint: `try it by hand: apt-get install --reinstall ${names.join(" ")}`,
    });
  }
}

/** @param {DebianPackage[]} packages */
function installCommand(packages) {
  return ["apt-get", "install", "--no-install-recommends", ...packages.map(({ name }) => name)];
}

/** @param {DebianPackage[]} missing */
function checkMachine(missing) {
  const list = describe(missing);
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(`husk needs Linux on x86-64; this is ${process.platform} on ${process.arch}`);
  }
  if (!existsSync("/etc/debian_version") || findInPath("apt-get") === undefined) {
    throw new SetupError(
      `these programs are missing, and this is not Debian, so install them yourself:\n${list}`,
    );
  }
}

/**
 * @param {string[]} asRoot
 * @param {string[]} command
 * @param {number} lock
 * @param {string} hint
 */
async function runAsRoot(asRoot, command, lock, hint) {
  const [program, ...args] = [...asRoot, "env", "DEBIAN_FRONTEND=noninteractive", ...command];
  await runCommand(/** @type {string} */ (program), args, { hint, lock });
}

/** @param {DebianPackage[]} packages */
function describe(packages) {
  return packages.map(({ name, why }) => `  ${name} (${why})`).join("\n");
}

/** @param {string} program */
function findInPath(program) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
