import type { ProxyKind } from "./types.ts";

/** A proxy that does nothing: the same as none, by the name that tests of old used. */
export const noopProxy: ProxyKind = {
  type: "noopProxy",
  command: () => undefined,
};
