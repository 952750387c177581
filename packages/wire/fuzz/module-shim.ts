/** Fuzzes the module shims' control protocol: `node packages/wire/fuzz/module-shim.ts --runs 100000 [--seed N]`. */
import { moduleShimTargets } from "./module-shim-targets.ts";
import { fuzzMain } from "./run.ts";

fuzzMain(moduleShimTargets);
