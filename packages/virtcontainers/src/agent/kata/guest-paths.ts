/** Where the guest has things of ours: absolute paths, all below /run, which is memory. Reference: virtcontainers.md 3.3. */

const BASE = "/run/kata-containers";

/** Mount point of the pod's own share. */
export const SHARED_DIRECTORY = `${BASE}/shared/containers`;

/** Memory that all containers of the pod share. */
export const SHM_DIRECTORY = `${BASE}/sandbox/shm`;

/** Files that containers get for /etc. */
export const FILES_DIRECTORY = `${BASE}/files`;

/** Mount point of a volume. */
export function volumePath(tag: string): string {
  return `${BASE}/volumes/${tag}`;
}

/** Where a container's root file system is put together. */
export function containerPaths(containerId: string) {
  const base = `${BASE}/containers/${containerId}`;
  return { image: `${base}/image`, scratch: `${base}/scratch`, rootfs: `${base}/rootfs` };
}
