import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BenchPlace } from "./bench-place.ts";

const WORKER = join(import.meta.dirname, "pod-worker.ts");

/** Lets another process use the pod `memory`; when it has ended, the agent's channels are free. */
export async function work(place: BenchPlace, ...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [WORKER, place.folder, ...args]);
}
