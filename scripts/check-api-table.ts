// Checks docs/api.md: that each name of ours in it exists and is mentioned by the test beside it, and that every
// name that the library exports stands on the page.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as library from "../packages/virtcontainers/src/index.ts";
import { findTableFaults, readTypes } from "./api-table/find-table-faults.ts";

const root = join(import.meta.dirname, "..");
const source = "packages/virtcontainers/src";
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** A test's path is below the library's sources, or below the repository's root. */
function readTest(path: string): string | undefined {
  const found = [join(source, path), path].find((candidate) => existsSync(join(root, candidate)));
  return found === undefined ? undefined : read(found);
}

/** Enumerations have keys that count; the catalogue of errors has its own page. */
const keysOf = (name: string, value: object) => (name === "ERROR_CATALOGUE" ? [] : Object.keys(value));
const values = new Map(
  Object.entries(library).map(([name, value]) => [
    name,
    typeof value === "object" ? keysOf(name, value) : [],
  ]),
);
const types = new Map(
  globSync(join(source, "types/*.ts"), { cwd: root }).flatMap((path) => readTypes(read(path))),
);

const faults = findTableFaults(read("docs/api.md"), { values, types }, readTest);
for (const fault of faults) console.error(`docs/api.md: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
