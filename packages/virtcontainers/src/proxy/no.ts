import type { Proxy } from "./types.ts";

/** No proxy: one caller owns the agent's channels, and relays for the others. */
export const noProxy: Proxy = {
  type: "noProxy",
  command: () => undefined,
};
