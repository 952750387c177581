import * as sys from "tiny:sys";
import { errorText, onUncaught, run, writeAll } from "@husk/tiny";
import { VERSION } from "../core/version.ts";
import { ModuleShim } from "./module-shim.ts";

const PROGRAM = "module-shim";
/** Exit status of a shim that has met a fault of its own. */
const BROKEN = 70;

const USAGE = `usage: ${PROGRAM} PLAN

Stays with a container of the container module, whatever becomes of the module: runs the commands that PLAN (plan.json) names
for it, writes its output to its log, starts it again when it has ended, and serves the socket that PLAN names.

The first start is told on stdout, as a line of JSON. The shim ends when it is told to quit.
`;

/** module-shim, with its arguments. */
export function runModuleShim(args: readonly string[]): void {
  const [path = ""] = args;
  if (path === "-h") leave(1, USAGE, 0);
  if (path === "-version") leave(1, `${PROGRAM} ${VERSION}\n`, 0);
  if (args.length !== 1 || path.startsWith("-"))
    leave(2, `${PROGRAM}: one argument is needed, the path of plan.json; -h tells more\n`, 1);
  onUncaught((error) => {
    const stack = error instanceof Error ? `\n${error.stack}` : "";
    leave(2, `${PROGRAM}: ${errorText(error)}${stack}\n`, BROKEN);
  });
  new ModuleShim(path).start();
  run();
}

function leave(fd: number, text: string, code: number): never {
  try {
    writeAll(fd, sys.encodeUtf8(text));
  } catch {
    // There is nobody to be told.
  }
  return sys.exit(code);
}
