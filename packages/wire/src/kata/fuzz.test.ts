import { test } from "node:test";
import { kataTargets } from "../../fuzz/kata-targets.ts";
import { runTargets } from "../../fuzz/run.ts";

for (const target of kataTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
