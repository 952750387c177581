import { readFileSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, systemCode } from "@husk/virtcontainers/internals";

/**
 * Reads a file that a container's module and shim have between them.
 * @param what it is, for errors
 * @returns undefined when it has not been written yet
 * @throws HuskError ERR_STATE_CORRUPT, ERR_STORE
 */
export function readShimFile<T>(path: string, what: string, parse: (bytes: Uint8Array) => T): T | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new HuskError("ERR_STORE", `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  try {
    return parse(bytes);
  } catch (cause) {
    throw new HuskError("ERR_STATE_CORRUPT", `${path} is no ${what}: ${messageOf(cause)}`, { cause });
  }
}
