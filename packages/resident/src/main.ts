/** The programs that stay beside a pod, in one binary: which one it is to be, its name or its first argument tells. */

import * as sys from "tiny:sys";
import { runCcProxy, runKataProxy } from "@husk/proxy";
import { runCcShim, runKataShim } from "@husk/shim";
import { writeAll } from "@husk/tiny";

const PROGRAMS = new Map<string, (args: readonly string[]) => void>([
  ["cc-proxy", runCcProxy],
  ["cc-shim", runCcShim],
  ["kata-proxy", runKataProxy],
  ["kata-shim", runKataShim],
]);

const USAGE = `usage: husk-resident PROGRAM [options]\nPROGRAM is one of ${[...PROGRAMS.keys()].join(", ")}\n`;

/** The program, by its own name or the first argument, and its arguments. */
function findProgram(): (() => void) | undefined {
  const [self = "", first = "", ...rest] = sys.argv;
  const byName = PROGRAMS.get(self.slice(self.lastIndexOf("/") + 1));
  if (byName) return () => byName(sys.argv.slice(1));
  const byArgument = PROGRAMS.get(first);
  return byArgument && (() => byArgument(rest));
}

const program = findProgram();
if (program) program();
else {
  writeAll(2, sys.encodeUtf8(USAGE));
  sys.exit(2);
}
