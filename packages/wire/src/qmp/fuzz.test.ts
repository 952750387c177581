import { test } from "node:test";
import { qmpTargets } from "../../fuzz/qmp-targets.ts";
import { runTargets } from "../../fuzz/run.ts";

for (const target of qmpTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
