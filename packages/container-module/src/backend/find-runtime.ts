import { join } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { isProgram } from "@husk/virtcontainers/internals";

/**
 * Finds the program of a runtime: an absolute path, or a name that is looked for in PATH.
 * @throws HuskError ERR_RUNTIME
 */
export function findRuntime(runtime: string): string {
  const directories = runtime.includes("/") ? [""] : (process.env.PATH ?? "").split(":");
  const candidates = directories.map((directory) => (directory ? join(directory, runtime) : runtime));
  const found = candidates.find((path) => path.startsWith("/") && isProgram(path));
  if (found) return found;
  throw new HuskError("ERR_RUNTIME", `the runtime ${runtime} is not there, or cannot be executed`, {
    hint: "Install it (Debian: runc, crun), or name its absolute path.",
  });
}
