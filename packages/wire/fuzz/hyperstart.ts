/** Fuzzes hyperstart's codecs and parsers: `node packages/wire/fuzz/hyperstart.ts --runs 100000 [--seed N]`. */
import { hyperstartTargets } from "./hyperstart-targets.ts";
import { fuzzMain } from "./run.ts";

fuzzMain(hyperstartTargets);
