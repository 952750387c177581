import { neededPath } from "../config/resident-programs.ts";
import type { ShimConfig } from "../types/index.ts";
import type { ShimKind } from "./types.ts";

/** Kata's shim. */
export function kataShim(config: ShimConfig): ShimKind {
  return {
    type: "kataShim",
    command: ({ containerId, token, terminal, proxySocket }) => [
      neededPath(config, "shimConfig"),
      "-agent",
      `unix://${proxySocket}`,
      "-container",
      containerId,
      "-exec-id",
      token,
      ...(terminal ? ["-terminal"] : []),
      ...(config.debug ? ["-debug"] : []),
    ],
  };
}
