import type { Shim } from "./types.ts";

/** No shim: the process that calls carries the streams. */
export const noopShim: Shim = {
  type: "noopShim",
  command: () => undefined,
};
