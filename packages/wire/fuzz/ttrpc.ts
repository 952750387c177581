/** Fuzzes ttrpc: `node packages/wire/fuzz/ttrpc.ts --runs 100000 [--seed N]`. */
import { fuzzMain } from "./run.ts";
import { ttrpcTargets } from "./ttrpc-targets.ts";

fuzzMain(ttrpcTargets);
