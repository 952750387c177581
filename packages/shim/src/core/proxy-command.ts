/** What husk wrote of a pod's proxy: how it is started, and by what it is known. */

import * as sys from "tiny:sys";
import { readTextIfThere } from "@husk/tiny";

/** Longest such file, in bytes. */
const MAX_BYTES = 64 * 1024;

/** See the head of the file. */
export interface ProxyCommand {
  /** the program's path and arguments; what is handed down to it is not named here */
  argv: string[];
  /** path of the file that the proxy has locked as long as it lives; its process id is in it */
  lock: string;
  /** path of the socket on which it listens */
  socket: string;
  /** path of the file to which its words go */
  log: string;
}

/** Reads it from an open file. @throws Error when it is not such a file */
export function readProxyCommand(fd: number, path: string): ProxyCommand {
  const bytes = new Uint8Array(MAX_BYTES);
  let size = 0;
  for (let count = 1; count > 0 && size < MAX_BYTES; size += count)
    count = sys.read(fd, bytes, size, MAX_BYTES - size);
  const found = parse(sys.decodeUtf8(bytes.subarray(0, size)));
  if (!isProxyCommand(found)) throw new Error(`${path} does not say how to start a proxy`);
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProxyCommand(value: unknown): value is ProxyCommand {
  if (typeof value !== "object" || value === null) return false;
  const { argv, lock, socket, log } = value as Record<string, unknown>;
  const isPath = (path: unknown) => typeof path === "string" && path.startsWith("/");
  if (![lock, socket, log].every(isPath) || !Array.isArray(argv)) return false;
  return isPath(argv[0]) && argv.every((word) => typeof word === "string");
}

/** What a proxy has written into its lock file because of which no other one is to be started; undefined: nothing. */
export function readProxyFault(lock: string): string | undefined {
  const [, reason] = /^failed: (.*)$/s.exec(readTextIfThere(lock, MAX_BYTES) ?? "") ?? [];
  return reason;
}

/** Process id in a proxy's lock file; undefined when there is none. */
export function readProxyPid(lock: string): number | undefined {
  const text = readTextIfThere(lock, MAX_BYTES)?.trim() ?? "";
  return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
}
