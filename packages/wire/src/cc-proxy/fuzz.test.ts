import { test } from "node:test";
import { ccProxyTargets } from "../../fuzz/cc-proxy-targets.ts";
import { runTargets } from "../../fuzz/run.ts";

for (const target of ccProxyTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
