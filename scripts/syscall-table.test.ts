import assert from "node:assert/strict";
import { test } from "node:test";
import { hasHeaders, readHeaders, readTable } from "./syscall-table.ts";

const skip = !hasHeaders && "SKIPPED: needs the kernel's headers (linux-libc-dev)";

// A machine's headers may be newer or older than those that the table was made from; numbers never change.
test("the table of system calls says what the kernel's headers say", { skip }, () => {
  const [table, headers] = [readTable(), readHeaders()];
  const shared = [...table.keys()].filter((name) => headers.has(name));
  assert.ok(shared.length > 400, `${shared.length} names in both`);
  for (const name of shared) assert.equal(table.get(name), headers.get(name));
});
