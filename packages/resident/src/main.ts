/** The small programs of a pod's host side, in one binary: which one it is to be, its name or its first argument tells. */

import * as sys from "tiny:sys";
import { writeAll } from "@husk/tiny";

type Program = (args: readonly string[]) => void;

/** Each reads only its own code into its memory. */
const PROGRAMS = new Map<string, () => Promise<Program>>([
  ["cc-proxy", async () => (await import("@husk/proxy/cc")).runCcProxy],
  ["cc-shim", async () => (await import("@husk/shim/cc")).runCcShim],
  ["husk-tap", async () => (await import("./tap/main.ts")).runHuskTap],
  ["kata-proxy", async () => (await import("@husk/proxy/kata")).runKataProxy],
  ["kata-shim", async () => (await import("@husk/shim/kata")).runKataShim],
  ["module-shim", async () => (await import("@husk/shim/module")).runModuleShim],
]);

const USAGE = `usage: husk-resident PROGRAM [options]\nPROGRAM is one of ${[...PROGRAMS.keys()].join(", ")}\n`;

/** Runs the program that its own name or the first argument tells. */
async function main(): Promise<void> {
  const [self = "", first = "", ...rest] = sys.argv;
  const byName = PROGRAMS.get(self.slice(self.lastIndexOf("/") + 1));
  const load = byName ?? PROGRAMS.get(first);
  if (load) return (await load())(byName ? sys.argv.slice(1) : rest);
  writeAll(2, sys.encodeUtf8(USAGE));
  sys.exit(2);
}

await main();
