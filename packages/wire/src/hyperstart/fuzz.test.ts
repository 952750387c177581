import { test } from "node:test";
import { hyperstartTargets } from "../../fuzz/hyperstart-targets.ts";
import { runTargets } from "../../fuzz/run.ts";

for (const target of hyperstartTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
