import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../test-support/bytes.ts";
import type { Process } from "./process.ts";
import { RLIMIT_UNLIMITED } from "./process.ts";
import { parseExecCommand } from "./requests.ts";

/** The process of an EXECCMD that has these changes. */
function parse(changes: Record<string, unknown> = {}): Process {
  const process = { id: "e1", stdio: 1, stderr: 2, args: ["true"], ...changes };
  return parseExecCommand(json({ container: "c1", process })).process;
}

function refuses(changes: Record<string, unknown>, path: string, text: RegExp): void {
  assert.throws(() => parse(changes), { code: "ERR_PAYLOAD", path, message: text });
}

test("streams are numbered, and apart", () => {
  refuses({ stdio: undefined }, "process.stdio", /is missing/);
  refuses({ stdio: 0 }, "process.stdio", /must not be 0/);
  refuses({ stdio: -1 }, "process.stdio", /integer from 0/);
  refuses({ stdio: 1.5 }, "process.stdio", /integer from 0/);
  refuses({ stdio: "1" }, "process.stdio", /must be a number, not string/);
  refuses({ stdio: 2 ** 53 }, "process.stdio", /integer from 0/);
  refuses({ stderr: undefined }, "process.stderr", /must not be 0 without a terminal/);
  refuses({ stderr: 1 }, "process.stderr", /must differ from stdio/);
  refuses({ stderr: 1, terminal: true }, "process.stderr", /must differ from stdio/);
  assert.equal(parse({ stderr: undefined, terminal: true }).stderr, 0);
  assert.equal(parse({ stderr: 2, terminal: true }).stderr, 2);
});

test("an exec needs an id, printable and bounded", () => {
  for (const id of [undefined, null, ""]) refuses({ id }, "process.id", /is missing/);
  for (const id of ["a\n", "ü", "a".repeat(129), 1]) refuses({ id }, "process.id", /printable ASCII/);
  assert.equal(parse({ id: "exec 1/~".padEnd(128, "x") }).id.length, 128);
});

test("a process has a program", () => {
  refuses({ args: undefined }, "process.args", /is missing/);
  refuses({ args: [] }, "process.args", /must not be empty/);
  refuses(
    { args: ["a", "b", "c", 5] },
    "process.args[3]",
    /^process\.args\[3\]: must be a string, not number$/,
  );
  refuses({ args: ["a", null] }, "process.args[1]", /must be a string, not null/);
  refuses({ args: ["a\0"] }, "process.args[0]", /NUL/);
  refuses({ args: ["a".repeat(131072)] }, "process.args[0]", /longer than 131071 bytes/);
});

test("users and groups come as names or numbers", () => {
  const { user, group, additionalGroups } = parse({ user: 0, group: 100, additionalGroups: [5, "adm"] });
  assert.deepEqual([user, group, additionalGroups], ["0", "100", ["5", "adm"]]);
  refuses({ user: -1 }, "process.user", /integer from 0/);
  refuses({ user: true }, "process.user", /must be a string, not boolean/);
});

test("an environment variable has a name without =", () => {
  assert.deepEqual(parse({ envs: [{ env: "A" }] }).envs, [{ env: "A", value: "" }]);
  refuses({ envs: [{ value: "1" }] }, "process.envs[0].env", /is missing/);
  refuses({ envs: [{ env: "" }] }, "process.envs[0].env", /must not be empty/);
  refuses({ envs: [{ env: "A" }, { env: "A=B" }] }, "process.envs[1].env", /'='/);
});

test("RLIM_INFINITY survives JSON", () => {
  const text =
    '{"container":"c1","process":{"id":"e","stdio":1,"stderr":2,"args":["a"],"rlimits":' +
    '[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":0}]}}';
  const { rlimits } = parseExecCommand(new TextEncoder().encode(text)).process;
  assert.deepEqual(rlimits, [{ type: "RLIMIT_CORE", hard: RLIMIT_UNLIMITED, soft: 0 }]);
  assert.deepEqual(parse({ rlimits }).rlimits, rlimits);
  assert.ok(BigInt(JSON.stringify(RLIMIT_UNLIMITED)) < 2n ** 64n);
  refuses(
    { rlimits: [{ type: "RLIMIT_CORE", hard: 2 ** 65, soft: 0 }] },
    "process.rlimits[0].hard",
    /integer/,
  );
});

test("sizes and capabilities are kept, or left out", () => {
  assert.deepEqual(parse({ capabilities: { bounding: ["CAP_KILL"] } }).capabilities, {
    bounding: ["CAP_KILL"],
    effective: [],
    inheritable: [],
    permitted: [],
    ambient: [],
  });
  assert.equal("capabilities" in parse(), false);
  const nothing = { bounding: null, effective: null, inheritable: null, permitted: null, ambient: null };
  assert.equal("capabilities" in parse({ capabilities: nothing }), false, "as Clear Containers says nothing");
  assert.deepEqual(parse({ capabilities: { ...nothing, bounding: [] } }).capabilities?.bounding, []);
  assert.equal(parse({ rows: 0 }).rows, 0);
  refuses({ columns: 65536 }, "process.columns", /from 0 to 65535/);
  refuses({ capabilities: { bounding: [""] } }, "process.capabilities.bounding[0]", /must not be empty/);
});
