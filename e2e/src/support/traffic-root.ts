import { copyFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { buildTraffic } from "@husk/tiny/traffic";
import { DEMO_ROOTFS } from "./places.ts";

/** A root file system for containers that have to move bytes over networks. */
export interface TrafficRoot {
  /** the demo's, and `traffic` in its PATH */
  readonly path: string;
  /** `traffic` for the host's side, a static program */
  readonly program: string;
}

/** Makes it in a folder. busybox's own nc sends 3 MB/s from an emulated guest; `traffic` sends 170. */
export async function makeTrafficRoot(folder: string): Promise<TrafficRoot> {
  const path = join(folder, "traffic-root");
  const [program] = await Promise.all([
    buildTraffic(folder),
    cp(DEMO_ROOTFS, path, { recursive: true, verbatimSymlinks: true }),
  ]);
  await copyFile(program, join(path, "bin/traffic"));
  return { path, program };
}
