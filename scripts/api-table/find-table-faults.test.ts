import assert from "node:assert/strict";
import { test } from "node:test";
import { findTableFaults, readTypes, type Surface } from "./find-table-faults.ts";

const surface: Surface = {
  values: new Map([
    ["createPod", []],
    ["State", ["ready"]],
    ["helper", []],
  ]),
  types: new Map([
    ["Pod", ["id", "extra"]],
    ["Own", ["field"]],
  ]),
};
const GOOD = `| Go | ours | test |
| --- | --- | --- |
| \`CreatePod\` | \`createPod\` | \`a.test.ts\` |
| \`StateReady\` | \`State.ready\` | \`a.test.ts\` |
| \`Status\` | \`State\` | \`a.test.ts\` |
| \`Pod\` | \`Pod\` | \`a.test.ts\` |
| \`Pod.ID\` | \`Pod.id\` | \`a.test.ts\` |

## Ours alone

\`helper\`; \`Pod.extra\`, \`Own\`
`;
const faultsOf = (page: string) =>
  findTableFaults(page, surface, (path) => (path === "a.test.ts" ? "createPod ready id" : undefined));

test("a page that is right has no faults", () => assert.deepEqual(faultsOf(GOOD), []));

test("what is not there, or not covered, is told", () => {
  const cases: [page: string, fault: string][] = [
    [GOOD.replace("`State.ready`", "`State.raedy`"), "StateReady: there is no State.raedy"],
    [GOOD.replace("`a.test.ts`", "`b.test.ts`"), "CreatePod: there is no test b.test.ts"],
    [GOOD.replace("`helper`; ", ""), "helper: is not on the page"],
    [GOOD.replace("`Pod.extra`, ", ""), "Pod.extra: is not on the page"],
    [GOOD.replace("`helper`", "`hepler`"), "ours alone: there is no hepler"],
    [GOOD.replace("| `Pod.ID`", "| `Pod`"), "Pod: stands in the table twice"],
    [GOOD.replace("`Pod.id` |", "Pod.id |"), "1 rows cannot be read"],
  ];
  for (const [page, fault] of cases) assert.ok(faultsOf(page).includes(fault), faultsOf(page).join("\n"));
  const silent = findTableFaults(GOOD, surface, () => "");
  assert.ok(silent.includes("Pod.ID: a.test.ts does not mention id"));
});

test("interfaces are read with their members, other types by name", () => {
  const text = `/** A thing. */
export interface Thing extends Base {
  /** its id: a name */
  readonly id: string;
  size?: number;
  run(how: { fast: boolean }): Promise<void>;
}
export type Kind = "a" | "b";
interface Hidden {
  a: string;
}
`;
  assert.deepEqual(readTypes(text), [
    ["Thing", ["id", "size", "run"]],
    ["Kind", []],
  ]);
});
