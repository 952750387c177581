/** Fuzzes the Kata agent's messages: `node packages/wire/fuzz/kata.ts --runs 100000 [--seed N]`. */
import { kataTargets } from "./kata-targets.ts";
import { fuzzMain } from "./run.ts";

fuzzMain(kataTargets);
