/** The program `traffic`, for tests and measurements of other packages. */
import { join } from "node:path";
import { buildProgram } from "../../build/index.ts";

/** Builds it into a folder, and gives its path. What it takes is told in its source. */
export async function buildTraffic(folder: string): Promise<string> {
  const entry = join(import.meta.dirname, "../programs/traffic.ts");
  return (await buildProgram({ entry, output: join(folder, "traffic") })).output;
}
