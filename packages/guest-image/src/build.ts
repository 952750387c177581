import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { buildProgram } from "@husk/tiny/build";
import { type FetchOptions, fetchKernel } from "./fetch-kernel.ts";
import { buildInitramfs } from "./initramfs.ts";
import { buildDemoRootfs } from "./rootfs.ts";
import { readModuleSet, unpackKernel, writeModuleSet } from "./unpack-kernel.ts";

/** The folders of a build's output, under the repository's `build`. */
export interface BuildFolders {
  /** the guest's kernel, modules, agent and initramfs */
  guest: string;
  /** root file systems for the demo and the tests */
  rootfs: string;
  /** what came over the network */
  downloads: string;
  /** half-made things, on the same file system as the rest */
  scratch: string;
}

/** Told what is being done, for a person. */
export type Progress = NonNullable<FetchOptions["onProgress"]>;

/** What `build/guest/kernel.json` says about the guest's kernel. */
export interface KernelRecord {
  /** the kernel's own name for itself, as `uname -r` gives it */
  release: string;
  /** Debian's package that it comes from */
  package: string;
  /** Debian's version of that package */
  version: string;
  /** checksum of that package, as hex */
  sha256: string;
}

/** the static busybox of Debian's busybox-static */
const BUSYBOX = "/bin/busybox";

/** Gives the folders of the output under `root`. */
export function buildFolders(root: string): BuildFolders {
  return {
    guest: join(root, "guest"),
    rootfs: join(root, "rootfs"),
    downloads: join(root, "downloads"),
    scratch: join(root, "tmp"),
  };
}

/** Makes `guest/agent`, the static program that is PID 1 in the guest. */
export async function makeAgent(folders: BuildFolders, entry: string, onProgress: Progress): Promise<void> {
  await mkdir(folders.guest, { recursive: true });
  const made = join(await makeScratch(folders), "agent");
  await buildProgram({ entry, output: made, onProgress });
  await rename(made, join(folders.guest, "agent"));
}

/**
 * Makes `guest/vmlinux`, `guest/modules/` and `guest/kernel.json` of Debian's newest kernel for virtual
 * machines.
 */
export async function makeKernel(folders: BuildFolders, onProgress: Progress): Promise<void> {
  const kernel = await fetchKernel({ downloads: folders.downloads, onProgress });
  onProgress("unpacking the kernel");
  const scratch = await makeScratch(folders);
  const unpacked = await unpackKernel(join(folders.downloads, kernel.file), join(scratch, "deb"));
  const record: KernelRecord = {
    release: unpacked.release,
    package: kernel.name,
    version: kernel.version,
    sha256: kernel.sha256,
  };
  await writeModuleSet(unpacked.moduleSet, join(scratch, "modules"));
  await replaceFolder(join(scratch, "modules"), join(folders.guest, "modules"));
  await replaceFile(folders, join(folders.guest, "vmlinux"), unpacked.vmlinux);
  await replaceFile(folders, join(folders.guest, "kernel.json"), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Makes `guest/initramfs.cpio` of the agent and the modules that are there. */
export async function makeInitramfs(folders: BuildFolders): Promise<void> {
  const archive = buildInitramfs({
    agent: await readFile(join(folders.guest, "agent")),
    moduleSet: await readModuleSet(join(folders.guest, "modules")),
  });
  await replaceFile(folders, join(folders.guest, "initramfs.cpio"), archive);
}

/** Makes `rootfs/busybox`, the root file system of the demo. */
export async function makeDemoRootfs(folders: BuildFolders): Promise<void> {
  const made = join(await makeScratch(folders), "busybox");
  await buildDemoRootfs(BUSYBOX, made);
  await replaceFolder(made, join(folders.rootfs, "busybox"));
}

async function makeScratch(folders: BuildFolders): Promise<string> {
  await mkdir(folders.scratch, { recursive: true });
  return folders.scratch;
}

/** A file that is there is always whole: it is written beside its place and moved in. */
async function replaceFile(folders: BuildFolders, path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  const temporary = join(await makeScratch(folders), basename(path));
  await writeFile(temporary, data);
  await rename(temporary, path);
}

async function replaceFolder(made: string, path: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await rm(path, { recursive: true, force: true });
  await rename(made, path);
}
