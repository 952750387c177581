import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the parts of the guest are. */
export interface GuestPaths {
  /** uncompressed kernel */
  kernel: string;
  /** initramfs holding the agent and its modules */
  initramfs: string;
  /** folder of the demo's root file system; undefined outside of the repository */
  demoRootfs: string | undefined;
  /** folder of the programs that stay beside a pod, proxies and shims; undefined outside of the repository */
  residents: string | undefined;
}

/** A part of the guest has not been built, or is not where the environment says. */
export class GuestImageMissingError extends Error {
  override name = "GuestImageMissingError";
  /** stable name of the error */
  readonly code = "ERR_GUEST_IMAGE_MISSING";
  /** what the user can do about it */
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** the name that tells the root of this repository from the packages in it */
const WORKSPACE = "husk-workspace";
const SETUP_HINT = "build it: npm run setup";

/**
 * Finds the guest that the set-up has built. Nothing is built here, only looked up, so it costs next to
 * nothing. The environment's `HUSK_KERNEL`, `HUSK_INITRAMFS` and `HUSK_RESIDENTS` take the place of
 * the kernel, the initramfs and the folder of proxies and shims.
 *
 * @param buildRoot folder of the build's output; without it, `build` in the repository that this code stands
 *   in
 * @throws GuestImageMissingError when the kernel or the initramfs is not there
 */
export function guestPaths(buildRoot?: string): GuestPaths {
  const { HUSK_KERNEL, HUSK_INITRAMFS, HUSK_RESIDENTS } = process.env;
  const root = buildRoot ?? findBuildRoot(dirname(fileURLToPath(import.meta.url)));
  const inBuild = (path: string) => (root === undefined ? undefined : join(root, path));
  return {
    kernel: choosePart("kernel", "HUSK_KERNEL", HUSK_KERNEL, inBuild("guest/vmlinux")),
    initramfs: choosePart("initramfs", "HUSK_INITRAMFS", HUSK_INITRAMFS, inBuild("guest/initramfs.cpio")),
    demoRootfs: inBuild("rootfs/busybox"),
    residents: HUSK_RESIDENTS ? resolve(HUSK_RESIDENTS) : inBuild("resident"),
  };
}

/**
 * Walks up from `start` to the repository's root and gives its build folder; undefined outside of a
 * repository.
 */
export function findBuildRoot(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (readPackageName(folder) === WORKSPACE) return join(folder, "build");
    if (folder === dirname(folder)) return undefined;
  }
}

function choosePart(
  what: string,
  variable: string,
  wanted: string | undefined,
  built: string | undefined,
): string {
  if (wanted) {
    if (existsSync(wanted)) return resolve(wanted);
    throw new GuestImageMissingError(`no ${what} at ${wanted}`, `correct or unset ${variable}`);
  }
  if (built === undefined) {
    throw new GuestImageMissingError(
      `no ${what}: not in husk's repository`,
      `say where it is with ${variable}`,
    );
  }
  if (!existsSync(built))
    throw new GuestImageMissingError(`the guest's ${what} is missing: ${built}`, SETUP_HINT);
  return built;
}

function readPackageName(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name;
  } catch {
    // No package.json here, or someone else's broken one: either way this is not our root.
    return undefined;
  }
}
