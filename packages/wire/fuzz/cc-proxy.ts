/** Fuzzes cc-proxy's protocol: `node packages/wire/fuzz/cc-proxy.ts --runs 100000 [--seed N]`. */
import { ccProxyTargets } from "./cc-proxy-targets.ts";
import { fuzzMain } from "./run.ts";

fuzzMain(ccProxyTargets);
