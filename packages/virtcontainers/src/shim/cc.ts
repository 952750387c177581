import { neededPath } from "../config/resident-programs.ts";
import type { ShimConfig } from "../types/index.ts";
import type { ShimKind } from "./types.ts";

/** Clear Containers' shim. */
export function ccShim(config: ShimConfig): ShimKind {
  return {
    type: "ccShim",
    command: ({ containerId, token, terminal, proxySocket }) => [
      neededPath(config, "shimConfig"),
      "-c",
      containerId,
      "-t",
      token,
      "-u",
      `unix://${proxySocket}`,
      // Unless it is told, it takes a terminal that is its input for that of the process, and makes it raw.
      `-terminal=${terminal}`,
      ...(config.debug ? ["-d"] : []),
    ],
  };
}
