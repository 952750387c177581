import { describe } from "node:test";
import { conformEnds } from "./conform-ends.ts";
import { conformFaults } from "./conform-faults.ts";
import { conformMany } from "./conform-many.ts";
import { conformNames } from "./conform-names.ts";
import { conformRoots } from "./conform-roots.ts";
import type { TestedBackend } from "./module-place.ts";

/** What the container module promises, whatever carries its containers out. */
export function describeModule(backend: TestedBackend): void {
  // A machine has no room for fifty VMs at once.
  const many = backend.options.backend === "oci" ? { many: conformMany } : {};
  const suites = {
    ...many,
    killed: conformFaults,
    names: conformNames,
    roots: conformRoots,
    ends: conformEnds,
  };
  for (const [name, suite] of Object.entries(suites)) {
    describe(`container module, ${backend.name}, ${name}:`, { skip: backend.missing }, () => suite(backend));
  }
}
