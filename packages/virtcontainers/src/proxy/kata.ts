import { neededPath } from "../config/resident-programs.ts";
import type { ProxyConfig } from "../types/index.ts";
import type { ProxyKind } from "./types.ts";

/** Kata's proxy: each of its clients has one stream of the agent's port. */
export function kataProxy(config: ProxyConfig): ProxyKind {
  return {
    type: "kataProxy",
    command: ({ podId, directory }) => [
      neededPath(config, "proxyConfig"),
      "-listen-socket",
      `unix://${directory.socket("proxy")}`,
      "-mux-socket",
      directory.socket("kata"),
      "-sandbox",
      podId,
      ...(config.debug ? ["-log", "debug"] : []),
    ],
  };
}
