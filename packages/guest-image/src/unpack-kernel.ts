import { globSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { extractVmlinux } from "./extract-vmlinux.ts";
import { chooseModules, type ModuleSet, normaliseModuleName } from "./modules.ts";
import { runCommand } from "./run-command.ts";

/**
 * The modules that a guest may ask for: how it sees its devices (PCI on q35, mmio on microvm), its channels,
 * its disks, its network and what filters that, and what it mounts. Each one more costs the initramfs its size, which every
 * boot unpacks, and nothing else until it is loaded; so persistent memory is left out (`nfit`, `nd_pmem`: 0.6 MB), which no
 * husk gives a machine.
 */
const GUEST_MODULES: readonly string[] = [
  "erofs",
  "nf_tables",
  "nft_chain_nat",
  "nft_ct",
  "nft_redir",
  "overlay",
  "scsi_mod",
  "sd_mod",
  "squashfs",
  "virtio_blk",
  "virtio_console",
  "virtio_mmio",
  "virtio_net",
  "virtio_pci",
  "virtio_rng",
  "virtio_scsi",
  "virtiofs",
  "vmw_vsock_virtio_transport",
];

/** The parts of a kernel package that a guest needs. */
export interface UnpackedKernel {
  /** the kernel's own name for itself, as `uname -r` gives it */
  release: string;
  /** the uncompressed kernel, an ELF file with a PVH entry */
  vmlinux: Uint8Array;
  /** the modules that a guest may load */
  moduleSet: ModuleSet;
}

/**
 * Takes the kernel and the guest's modules out of a Debian kernel package, without installing it.
 *
 * @param deb the package
 * @param scratch a folder to unpack into; it is made, and removed in the end
 * @throws CommandError when the package cannot be unpacked
 * @throws Error when it does not hold what a guest needs
 */
export async function unpackKernel(deb: string, scratch: string): Promise<UnpackedKernel> {
  await mkdir(scratch, { recursive: true });
  try {
    await runCommand("dpkg-deb", ["--extract", deb, scratch]);
    const image = only(globSync("boot/vmlinuz-*", { cwd: scratch }), "kernel image");
    const release = basename(image).slice("vmlinuz-".length);
    const vmlinux = await extractVmlinux(await readFile(join(scratch, image)));
    const moduleSet = await stripModules(await readModules(scratch, release), join(scratch, "stripped"));
    return { release, vmlinux, moduleSet };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Writes a module set as a folder of `NAME.ko` files and an `order.json`. */
export async function writeModuleSet(moduleSet: ModuleSet, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, data } of moduleSet.modules) await writeFile(join(folder, `${name}.ko`), data);
  await writeFile(join(folder, "order.json"), `${JSON.stringify(moduleSet.order, undefined, 2)}\n`);
}

/** Reads back what {@link writeModuleSet} wrote. */
export async function readModuleSet(folder: string): Promise<ModuleSet> {
  const order = JSON.parse(await readFile(join(folder, "order.json"), "utf8")) as Record<string, string[]>;
  const names = [...new Set(Object.values(order).flat())].sort();
  const modules = await Promise.all(
    names.map(async (name) => ({ name, data: await readFile(join(folder, `${name}.ko`)) })),
  );
  return { modules, order };
}

async function readModules(scratch: string, release: string): Promise<ModuleSet> {
  // A package made for a merged /usr keeps its modules in usr/lib.
  const tree = only(globSync(`{usr/,}lib/modules/${release}`, { cwd: scratch }), "module tree");
  const builtin = await readFile(join(scratch, tree, "modules.builtin"), "utf8");
  const files = new Map(
    globSync(`${tree}/kernel/**/*.ko`, { cwd: scratch }).map((path) => [moduleNameOf(path), path]),
  );
  return chooseModules(
    GUEST_MODULES,
    new Set(builtin.split("\n").filter(Boolean).map(moduleNameOf)),
    (name) => {
      const path = files.get(name);
      return path === undefined ? undefined : readFileSync(join(scratch, path));
    },
  );
}

/**
 * Leaves out of the modules what is for debuggers and tracers: types, and the names of what nobody outside refers to.
 * It makes them smaller by a sixth, and spares the guest the reading of the types.
 */
async function stripModules({ modules, order }: ModuleSet, folder: string): Promise<ModuleSet> {
  await mkdir(folder);
  const files = modules.map(({ name }) => join(folder, `${name}.ko`));
  for (const [at, { data }] of modules.entries()) await writeFile(files[at] as string, data);
  await runCommand("strip", ["--strip-unneeded", "--remove-section=.BTF", ...files]);
  const stripped = modules.map(async ({ name }, at) => ({ name, data: await readFile(files[at] as string) }));
  return { modules: await Promise.all(stripped), order };
}

function moduleNameOf(path: string): string {
  return normaliseModuleName(basename(path, ".ko"));
}

function only(paths: string[], what: string): string {
  const [path, ...others] = paths;
  if (path === undefined || others.length > 0) throw new Error(`the package holds ${paths.length} ${what}s`);
  return path;
}
