import { chmodSync, chownSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { runCommand } from "@husk/virtcontainers/internals";
import { removeLink } from "../sources/remove-link.ts";
import type { ContainerPlaces } from "../state/layout.ts";

/** Milliseconds for one run of mount(8) or umount(8). */
const TIMEOUT_MS = 10_000;
/** What overlayfs takes for an end or an escape in its options. */
const SPECIAL = /[\\:,]/;

/**
 * Mounts a container's root file system: what it writes is kept in its directory, and what is below stays as it is. Of one that is
 * mounted already, nothing changes.
 * @param lower the root file system that it begins with
 * @throws HuskError ERR_STORE, ERR_CONFIG_INVALID, ERR_ABORTED
 */
export async function mountOverlay(
  { directory, rootfs }: ContainerPlaces,
  lower: string,
  signal?: AbortSignal,
): Promise<void> {
  if (isMounted(rootfs)) return;
  if (SPECIAL.test(directory)) {
    throw new HuskError(
      "ERR_CONFIG_INVALID",
      `stateRoot: overlayfs takes no path with ':', ',' or '\\': ${directory}`,
    );
  }
  const [upper, work, link] = ["upper", "work", "lower"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const isNew = mkdirSync(upper, { recursive: true, mode: 0o700 }) !== undefined;
  // What an earlier mount has left there makes overlayfs refuse.
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { mode: 0o700 });
  mkdirSync(rootfs, { recursive: true, mode: 0o700 });
  // By a link, since a path may have what overlayfs takes for something else.
  removeLink(link);
  symlinkSync(lower, link);
  if (isNew) copyOwner(lower, upper);
  const options = `lowerdir=${link},upperdir=${upper},workdir=${work}`;
  const failure = await runCommand("mount", ["-t", "overlay", "-o", options, "overlay", rootfs], {
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  if (failure === undefined) return;
  throw new HuskError("ERR_STORE", `an overlay of ${lower} cannot be mounted: ${failure}`, {
    hint: "The module must run as root, and its state directory be on a file system that overlayfs can write to (ext4, xfs, btrfs, tmpfs).",
  });
}

/** The root's own mode and owner are those of the upper directory. What cannot be looked at, cannot be mounted either. */
function copyOwner(from: string, to: string): void {
  const stats = statSync(from, { throwIfNoEntry: false });
  if (!stats) return;
  chownSync(to, stats.uid, stats.gid);
  chmodSync(to, stats.mode & 0o7777);
}

/**
 * Unmounts it, if it is mounted.
 * @throws HuskError ERR_STORE
 */
export async function unmountOverlay({ rootfs }: Pick<ContainerPlaces, "rootfs">): Promise<void> {
  if (!isMounted(rootfs)) return;
  const unmount = (...options: string[]) =>
    runCommand("umount", [...options, rootfs], { timeoutMs: TIMEOUT_MS });
  // Whoever stands in it, though its container is gone, keeps it for itself.
  const failure = (await unmount()) && (await unmount("--lazy"));
  if (failure === undefined || !isMounted(rootfs)) return;
  throw new HuskError("ERR_STORE", `${rootfs} cannot be unmounted: ${failure}`);
}

/** Whether something is mounted on a directory: then it is of another file system than its parent. */
export function isMounted(directory: string): boolean {
  const [own, parent] = [directory, dirname(directory)].map((path) =>
    statSync(path, { throwIfNoEntry: false }),
  );
  return own !== undefined && parent !== undefined && own.dev !== parent.dev;
}
