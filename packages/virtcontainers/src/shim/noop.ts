import type { ShimKind } from "./types.ts";

/** No shim: the process that calls carries the streams. */
export const noopShim: ShimKind = {
  type: "noopShim",
  command: () => undefined,
};
