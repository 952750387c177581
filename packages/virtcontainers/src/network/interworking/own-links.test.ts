import assert from "node:assert/strict";
import { test } from "node:test";
import { bridgeName, tapName } from "./own-links.ts";

test("our links have names that the kernel takes, another for each link", () => {
  // The last two would be the same without a mark for long numbers.
  const indexes = [1, 9_999_999, 10_000_000, 2 ** 31 - 1, 100_000, 36 ** 5];
  const names = indexes.flatMap((index) => [tapName(index), bridgeName(index)]);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^(tap|br)[a-z0-9]+_husk$/);
  assert.ok(Math.max(...names.map(({ length }) => length)) <= 15);
  assert.equal(tapName(7), "tap7_husk");
});
