/** The programs that stay beside a pod, in one binary: which one it is to be, its name or its first argument tells. */

import * as sys from "tiny:sys";
import { writeAll } from "@husk/tiny";

/** Runs with its arguments until it ends. */
type Program = (args: readonly string[]) => void;

/** Each is read into memory only by the process that is to be it. */
const PROGRAMS = new Map<string, () => Promise<Program>>([
  ["cc-proxy", async () => (await import("@husk/proxy/cc")).runCcProxy],
  ["cc-shim", async () => (await import("@husk/shim/cc")).runCcShim],
  ["kata-proxy", async () => (await import("@husk/proxy/kata")).runKataProxy],
  ["kata-shim", async () => (await import("@husk/shim/kata")).runKataShim],
]);

const USAGE = `usage: husk-resident PROGRAM [options]\nPROGRAM is one of ${[...PROGRAMS.keys()].join(", ")}\n`;

/** The program, by its own name or the first argument, and its arguments. */
function findProgram(): [load: () => Promise<Program>, args: string[]] | undefined {
  const [self = "", first = "", ...rest] = sys.argv;
  const byName = PROGRAMS.get(self.slice(self.lastIndexOf("/") + 1));
  if (byName) return [byName, sys.argv.slice(1)];
  const byArgument = PROGRAMS.get(first);
  return byArgument && [byArgument, rest];
}

const found = findProgram();
if (found) {
  const [load, args] = found;
  const program = await load();
  program(args);
} else {
  writeAll(2, sys.encodeUtf8(USAGE));
  sys.exit(2);
}
