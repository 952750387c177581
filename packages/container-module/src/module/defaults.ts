import type { LogLimits, RestartPolicy } from "../types.ts";

/** How large a container's log may become when nothing is said. */
export const DEFAULT_LOG: LogLimits = { maxBytes: 10 * 1024 * 1024, maxFiles: 3 };

/** How often, and when, a container that ends is started again when nothing is said: as 0-OS did. */
export const DEFAULT_RESTART: RestartPolicy = { limit: 3, delayMs: 2_000, stableMs: 60_000 };
