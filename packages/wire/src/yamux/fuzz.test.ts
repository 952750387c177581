import { test } from "node:test";
import { runTargets } from "../../fuzz/run.ts";
import { yamuxTargets } from "../../fuzz/yamux-targets.ts";

for (const target of yamuxTargets) {
  test(`a short fuzz run of ${target.name} finds nothing`, () => runTargets([target], 1500, 1));
}
