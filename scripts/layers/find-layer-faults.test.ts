import assert from "node:assert/strict";
import { test } from "node:test";
import { findLayerFaults, readImports } from "./find-layer-faults.ts";

const MANIFESTS = [
  { name: "@husk/wire", dependencies: {} },
  { name: "@husk/tiny", dependencies: { "@husk/wire": "0.1.0" } },
  { name: "@husk/guest-agent", dependencies: { "@husk/tiny": "0.1.0" } },
  { name: "husk", dependencies: { "@husk/virtcontainers": "0.1.0", commander: "15.1.0" } },
];

function faultsOf(path: string, text: string): string[] {
  return findLayerFaults([{ path, text }], MANIFESTS);
}

test("every form of import is seen", () => {
  const text = [
    'import "a";',
    'import b from "b";',
    'import { c, type C } from "c/x";',
    'import type { D } from "@scope/d";',
    "import {\n  e,\n  f,\n} from 'e';",
    'export * from "g";',
    'export { h } from "./h.ts";',
    'const i = await import("i");',
  ].join("\n");
  assert.deepEqual(readImports(text), ["a", "b", "c/x", "@scope/d", "e", "g", "./h.ts", "i"]);
});

test("what the layers allow is no fault", () => {
  assert.deepEqual(faultsOf("packages/tiny/src/a.ts", 'import { x } from "@husk/wire/hyperstart";'), []);
  assert.deepEqual(faultsOf("packages/husk/src/a.ts", 'import { x } from "commander"; import "./b.ts";'), []);
  assert.deepEqual(faultsOf("packages/husk/src/a.ts", 'import { join } from "node:path";'), []);
  assert.deepEqual(
    faultsOf("packages/wire/src/a.test.ts", 'import test from "node:test"; import "fast-check";'),
    [],
  );
  assert.deepEqual(faultsOf("packages/tiny/src/deep/a.ts", 'import "../../native/b.ts";'), []);
});

test("an import against the layers is a fault", () => {
  assert.match(
    faultsOf("packages/wire/src/a.ts", 'import "@husk/tiny";')[0] ?? "",
    /may not import @husk\/tiny/,
  );
  assert.match(faultsOf("packages/tiny/src/a.ts", 'import "husk";')[0] ?? "", /may not import husk/);
});

test("tests keep to the layers too", () => {
  assert.equal(faultsOf("packages/wire/src/a.test.ts", 'import "@husk/virtcontainers";').length, 1);
});

test("an import that package.json does not name is a fault", () => {
  assert.match(
    faultsOf("packages/guest-agent/src/a.ts", 'import "@husk/wire/hyperstart";')[0] ?? "",
    /package\.json does not name/,
  );
  assert.match(
    faultsOf("packages/husk/src/a.ts", 'import "left-pad";')[0] ?? "",
    /package\.json does not name/,
  );
});

test("a path out of the package is a fault", () => {
  assert.match(faultsOf("packages/tiny/src/a.ts", 'import "../../wire/src/b.ts";')[0] ?? "", /leads out/);
});

test("Node's modules are a fault in code for the guest", () => {
  assert.match(
    faultsOf("packages/wire/src/a.ts", 'import "node:fs";')[0] ?? "",
    /does not exist in the guest/,
  );
  assert.match(faultsOf("packages/guest-agent/src/a.ts", 'import "node:fs";')[0] ?? "", /does not exist/);
  assert.deepEqual(faultsOf("packages/tiny/build/a.ts", 'import "node:fs";'), []);
});

test("a package without a layer is a fault", () => {
  assert.match(faultsOf("packages/new/src/a.ts", 'import "./b.ts";')[0] ?? "", /has no layer/);
});

test("tiny's system-call binding is for its programs alone", () => {
  assert.deepEqual(faultsOf("packages/tiny/src/a.ts", 'import * as sys from "tiny:sys";'), []);
  assert.deepEqual(faultsOf("packages/guest-agent/src/a.ts", 'import * as sys from "tiny:sys";'), []);
  assert.match(faultsOf("packages/wire/src/a.ts", 'import "tiny:sys";')[0] ?? "", /only in tiny's programs/);
  assert.match(faultsOf("packages/husk/src/a.ts", 'import "tiny:sys";')[0] ?? "", /only in tiny's programs/);
});
