/** Fuzzes the attach protocol: `node packages/wire/fuzz/attach.ts --runs 100000 [--seed N]`. */
import { attachTargets } from "./attach-targets.ts";
import { fuzzMain } from "./run.ts";

fuzzMain(attachTargets);
