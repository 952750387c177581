import { ShimEventDecoder, ShimRequestDecoder } from "../src/module-shim/index.ts";
import { tryBytes } from "./attach-targets.ts";
import { mutateBytes } from "./mutate.ts";
import type { Target } from "./run.ts";

/** What must hold for all that who connects to a module shim may send, and a shim that is not ours. */
export const moduleShimTargets: readonly Target[] = [
  {
    name: "module shim requests",
    seeds: "module-shim-requests",
    tryOne: (seed, random) => tryBytes(() => new ShimRequestDecoder(), mutateBytes(seed, random), random),
  },
  {
    name: "module shim events",
    seeds: "module-shim-events",
    tryOne: (seed, random) => tryBytes(() => new ShimEventDecoder(), mutateBytes(seed, random), random),
  },
];
