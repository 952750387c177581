import { homedir } from "node:os";
import { join } from "node:path";
import { HuskError } from "../errors/index.ts";

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * The state directory: `HUSK_ROOT`, else `/run/husk` for root, else `$XDG_RUNTIME_DIR/husk`.
 * @throws HuskError ERR_STORE when nothing tells where it is
 */
export function stateDirectory(): string {
  const { HUSK_ROOT, XDG_RUNTIME_DIR } = process.env;
  if (HUSK_ROOT) return HUSK_ROOT;
  if (isRoot()) return "/run/husk";
  if (XDG_RUNTIME_DIR) return join(XDG_RUNTIME_DIR, "husk");
  throw new HuskError("ERR_STORE", "neither HUSK_ROOT nor XDG_RUNTIME_DIR tells where the state belongs");
}

/** The cache directory: `HUSK_CACHE`, else `/var/cache/husk` for root, else `$XDG_CACHE_HOME/husk` (`~/.cache/husk`). */
export function cacheDirectory(): string {
  const { HUSK_CACHE, XDG_CACHE_HOME } = process.env;
  if (HUSK_CACHE) return HUSK_CACHE;
  if (isRoot()) return "/var/cache/husk";
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "husk");
}
