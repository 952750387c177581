import { HuskError } from "@husk/virtcontainers";

/** Where programs are looked for when nobody says: as shells of Debian's root have it. */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** What `execve` takes in one string: 32 pages. */
const MAX_BYTES = 131_071;
const MAX_VARIABLES = 4096;

/**
 * Puts environments together: each wins over those before it. There is always a PATH, which a command without a slash needs.
 * @throws HuskError ERR_CONFIG_INVALID
 */
export function mergeEnvironments(...environments: readonly (readonly string[])[]): string[] {
  const merged = new Map<string, string>([["PATH", DEFAULT_PATH]]);
  for (const variable of environments.flat()) merged.set(nameOf(variable), variable);
  if (merged.size > MAX_VARIABLES) throw invalid(`there are more than ${MAX_VARIABLES} variables`);
  return [...merged.values()];
}

function nameOf(variable: unknown): string {
  if (typeof variable !== "string") throw invalid("a variable is no text");
  const shown = JSON.stringify(variable.slice(0, 80));
  const end = variable.indexOf("=");
  if (end < 1) throw invalid(`${shown} is not NAME=value`);
  if (variable.includes("\0")) throw invalid(`${shown} holds a NUL character`);
  if (Buffer.byteLength(variable) > MAX_BYTES) throw invalid(`${shown}… has more than ${MAX_BYTES} bytes`);
  return variable.slice(0, end);
}

function invalid(why: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `env: ${why}`);
}
