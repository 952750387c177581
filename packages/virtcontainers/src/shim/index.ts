import type { PodConfig } from "../types/index.ts";
import { ccShim } from "./cc.ts";
import { kataShim } from "./kata.ts";
import { noopShim } from "./noop.ts";
import type { ShimKind } from "./types.ts";

/** The shims of a pod. */
export function createShim({ shimType = "noopShim", shimConfig = {} }: PodConfig): ShimKind {
  switch (shimType) {
    case "ccShim":
      return ccShim(shimConfig);
    case "kataShim":
      return kataShim(shimConfig);
    case "noopShim":
      return noopShim;
  }
}
