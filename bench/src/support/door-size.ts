import { cp, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram } from "@husk/tiny/build";
import type { Measurement } from "./measurement.ts";
import { AGENT } from "./places.ts";

/** the agent's sources */
const SOURCES = join(import.meta.dirname, "../../../packages/guest-agent/src");
/** what `main.ts` takes of the Kata door, as a file that does nothing */
const STUB = `export function serveKataPort() {}
export function serveKataVsock() {}
export function serveKataSocket() {}
`;
const MEGABYTE = 1e6;

/** What the Kata door adds to the agent: all that only it needs, in bytes of the program. */
export async function measureDoorSize(): Promise<Measurement> {
  // In the repository, so that the packages that the sources import are found.
  const folder = await mkdtemp(join(AGENT, "../../without-kata-"));
  try {
    await cp(SOURCES, folder, { recursive: true });
    // All of it goes, so that the build fails when something of it is still needed.
    await rm(join(folder, "kata"), { recursive: true });
    await mkdir(join(folder, "kata"));
    await writeFile(join(folder, "kata/door.ts"), STUB);
    const output = join(folder, "agent");
    const { bytes: without } = await buildProgram({ entry: join(folder, "main.ts"), output });
    const value = ((await stat(AGENT)).size - without) / MEGABYTE;
    const target = { of: "value", relation: "at most", limit: 0.6 } as const;
    return { part: "k", what: "the door's code in the agent's program", value, unit: "MB", target };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
