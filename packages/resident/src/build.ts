import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram } from "@husk/tiny/build";

/** Names of the programs in the binary; each is a link to it. */
const PROGRAMS = ["cc-proxy", "cc-shim", "husk-tap", "kata-proxy", "kata-shim", "module-shim"];

/** Makes `resident/husk-resident` under the build's output, with a link for each program in it. */
export async function makeResidents(
  output: string,
  entry: string,
  onProgress: (text: string) => void,
): Promise<void> {
  const folder = join(output, "resident");
  await mkdir(folder, { recursive: true });
  const made = join(folder, "husk-resident.new");
  await buildProgram({ entry, output: made, onProgress });
  await rename(made, join(folder, "husk-resident"));
  for (const name of PROGRAMS) {
    await rm(join(folder, name), { force: true });
    await symlink("husk-resident", join(folder, name));
  }
}
