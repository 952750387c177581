/** Fuzzes the QMP decoder: `node packages/wire/fuzz/qmp.ts --runs 100000 [--seed N]`. */
import { qmpTargets } from "./qmp-targets.ts";
import { fuzzMain } from "./run.ts";

fuzzMain(qmpTargets);
