import type { ProxyKind } from "./types.ts";

/** No proxy: one caller owns the agent's channels, and relays for the others. */
export const noProxy: ProxyKind = {
  type: "noProxy",
  command: () => undefined,
};
