import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { CommandError, runCommand } from "./run-command.ts";

/** Debian's package that always depends on the newest kernel for virtual machines. */
const META_PACKAGE = "linux-image-cloud-amd64";
const KERNEL_PACKAGE = /\blinux-image-[0-9][A-Za-z0-9.+~-]*-cloud-amd64\b/;

/** A kernel package on disk. */
export interface KernelPackage {
  /** Debian's name for it, with the kernel's release in it */
  name: string;
  /** Debian's version of the package */
  version: string;
  /** file name inside the download folder */
  file: string;
  /** checksum that apt's signed lists gave, as hex */
  sha256: string;
}

/** Where a download goes, and whom to tell. */
export interface FetchOptions {
  /** folder that keeps what was downloaded */
  downloads: string;
  /** told what is being done, for a person */
  onProgress?: (text: string) => void;
}

/**
 * Makes sure that a kernel package is on disk, with apt and the machine's own sources, so that apt checks it
 * by its signed lists. A package that is there already is checked again and used without the network.
 *
 * @throws CommandError when apt fails
 * @throws Error when apt's sources offer no such kernel
 */
export async function fetchKernel({
  downloads,
  onProgress = () => {},
}: FetchOptions): Promise<KernelPackage> {
  await mkdir(downloads, { recursive: true });
  const record = join(downloads, "kernel-package.json");
  const kept = await readKept(record, downloads);
  if (kept !== undefined) return kept;

  let kernel: KernelPackage;
  try {
    kernel = await downloadKernel(downloads, [], onProgress);
  } catch (error) {
    // No lists, or lists so old that the mirror has dropped what they name: fetch lists of our own, so that
    // the system's stay as they are, and try once more.
    if (!(error instanceof CommandError)) throw error;
    onProgress("reading the package lists");
    const state = await makePrivateState(downloads);
    await runCommand("apt-get", [...state, "update", "--quiet"]);
    kernel = await downloadKernel(downloads, state, onProgress);
  }
  await writeFile(`${record}.new`, `${JSON.stringify(kernel, undefined, 2)}\n`);
  await rename(`${record}.new`, record);
  return kernel;
}

/**
 * Finds the kernel that a package's description depends on, in the words of `apt-cache show`.
 *
 * @throws Error when it depends on none
 */
export function parseKernelDependency(description: string): string {
  const name = KERNEL_PACKAGE.exec(fieldOf(description, "Depends"))?.[0];
  if (name === undefined) throw new Error(`${META_PACKAGE} depends on no kernel`);
  return name;
}

/**
 * Reads a package's version, file and checksum from the words of `apt-cache show`.
 *
 * @throws Error when a field is missing
 */
export function parseKernelPackage(name: string, description: string): KernelPackage {
  const version = fieldOf(description, "Version");
  // apt writes the colon of an epoch as %3a in a file's name.
  const file = `${name}_${version.replaceAll(":", "%3a")}_amd64.deb`;
  const sha256 = fieldOf(description, "SHA256");
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`${name}: no usable checksum`);
  if (basename(file) !== file) throw new Error(`${name}: no usable version`);
  return { name, version, file, sha256 };
}

async function downloadKernel(
  downloads: string,
  state: readonly string[],
  onProgress: (text: string) => void,
): Promise<KernelPackage> {
  const name = parseKernelDependency(await showPackage(META_PACKAGE, state));
  const kernel = parseKernelPackage(name, await showPackage(name, state));
  onProgress(`downloading ${kernel.name} ${kernel.version}`);
  await runCommand("apt-get", [...state, "download", "--quiet", `${name}=${kernel.version}`], {
    cwd: downloads,
  });
  if (!(await hasChecksum(join(downloads, kernel.file), kernel.sha256))) {
    throw new Error(`${kernel.file} was not downloaded whole`);
  }
  return kernel;
}

async function showPackage(name: string, state: readonly string[]): Promise<string> {
  const { stdout } = await runCommand("apt-cache", [...state, "show", "--no-all-versions", name]);
  return stdout.toString();
}

async function readKept(record: string, downloads: string): Promise<KernelPackage | undefined> {
  if (!existsSync(record)) return undefined;
  try {
    const { name, version, file, sha256 } = JSON.parse(await readFile(record, "utf8"));
    const kept = [name, version, file, sha256].every((field) => typeof field === "string");
    if (kept && basename(file) === file && (await hasChecksum(join(downloads, file), sha256))) {
      return { name, version, file, sha256 };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // A damaged record or package is no loss: it is fetched again.
  await rm(record, { force: true });
  return undefined;
}

async function hasChecksum(path: string, sha256: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  return (
    createHash("sha256")
      .update(await readFile(path))
      .digest("hex") === sha256
  );
}

async function makePrivateState(downloads: string): Promise<string[]> {
  const state = join(downloads, "apt");
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await mkdir(join(state, "cache", "archives", "partial"), { recursive: true });
  return [
    ["Dir::State::Lists", join(state, "lists")],
    ["Dir::Cache", join(state, "cache")],
  ].flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}

/** The first value of a field; an empty text when there is none. */
function fieldOf(description: string, field: string): string {
  return new RegExp(`^${field}: (.*)$`, "m").exec(description)?.[1] ?? "";
}
