/** The program `traffic`, for tests and measurements of other packages. */
import { copyFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram } from "../../build/index.ts";

/** Builds it into a folder, and gives its path. What it takes is told in its source. */
export async function buildTraffic(folder: string): Promise<string> {
  const entry = join(import.meta.dirname, "../programs/traffic.ts");
  return (await buildProgram({ entry, output: join(folder, "traffic") })).output;
}

/** A root file system for containers that have to move bytes over networks. */
export interface TrafficRoot {
  /** another one, and `traffic` in its PATH */
  readonly path: string;
  /** `traffic` for the host's side, a static program */
  readonly program: string;
}

/** Makes it in a folder, of another. busybox's own nc sends 3 MB/s from an emulated guest; `traffic` sends 170. */
export async function makeTrafficRoot(base: string, folder: string): Promise<TrafficRoot> {
  const path = join(folder, "traffic-root");
  const [program] = await Promise.all([
    buildTraffic(folder),
    cp(base, path, { recursive: true, verbatimSymlinks: true }),
  ]);
  await copyFile(program, join(path, "bin/traffic"));
  return { path, program };
}
