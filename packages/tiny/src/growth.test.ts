import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("growth");
after(() => program.remove());

/** Growth in KiB that is still none: the allocator's own ups and downs. */
const LITTLE_KIB = 300;

// A fork takes a millisecond on a slow machine, so there are fewer of them.
for (const [what, rounds] of Object.entries({
  timers: 10_000,
  reads: 10_000,
  errors: 10_000,
  forks: 1_500,
  reserves: 1_000,
})) {
  test(`${rounds} ${what} leave no memory and no descriptors behind`, async () => {
    const [memory, descriptors] = (await program.report(what, String(rounds))) as [number, number];
    assert.ok(memory < LITTLE_KIB, `grew by ${memory} KiB`);
    assert.equal(descriptors, 0);
  });
}
