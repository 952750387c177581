/** Fuzzes yamux: `node packages/wire/fuzz/yamux.ts --runs 100000 [--seed N]`. */
import { fuzzMain } from "./run.ts";
import { yamuxTargets } from "./yamux-targets.ts";

fuzzMain(yamuxTargets);
