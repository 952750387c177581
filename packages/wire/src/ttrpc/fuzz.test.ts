import { test } from "node:test";
import { runTargets } from "../../fuzz/run.ts";
import { ttrpcTargets } from "../../fuzz/ttrpc-targets.ts";

for (const target of ttrpcTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
