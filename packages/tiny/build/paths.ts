/** Where the build finds its inputs and keeps its results. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The C files of the binding. */
export const nativeFolder = join(here, "..", "native");

function workspaceRoot(): string {
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package-lock.json"))) return folder;
  }
  return process.cwd();
}

/** Results that are kept between builds: the engine's source and what was compiled from it. */
export const cacheFolder = join(workspaceRoot(), "build", "tiny");
