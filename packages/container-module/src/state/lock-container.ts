import { type FileLock, lockFile, systemCode } from "@husk/virtcontainers/internals";
import type { ContainerPlaces } from "./layout.ts";

/** How long to wait for who changes something about a container. */
export interface LockWait {
  /** milliseconds; 0: not at all */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Locks a container, to change something about it.
 * @returns `busy`: somebody else is at it; `gone`: there is none, or not any more
 * @throws HuskError ERR_LOCK, ERR_ABORTED
 */
export async function lockContainer(
  { lock }: Pick<ContainerPlaces, "lock">,
  { timeoutMs, signal }: LockWait,
): Promise<FileLock | "busy" | "gone"> {
  try {
    return (await lockFile(lock, { mode: "exclusive", wait: timeoutMs > 0, timeoutMs, signal })) ?? "busy";
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return "gone";
    throw error;
  }
}
