import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearestName } from "./nearest-name.ts";

test("edit distance of known pairs", () => {
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("hostnmae", "hostname"), 1);
  assert.equal(editDistance("RootFs", "rootFs"), 0);
});

test("edit distance is symmetric and bounded", () => {
  const word = fc.stringMatching(/^[a-z]{0,12}$/);
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.ok(distance <= Math.max(a.length, b.length));
      assert.equal(distance === 0, a === b);
    }),
  );
});

test("the nearest name is told only when it is near", () => {
  assert.equal(nearestName("hostnam", ["id", "hostname"]), "hostname");
  assert.equal(nearestName("completelyDifferent", ["id", "hostname"]), undefined);
  assert.equal(nearestName("x".repeat(1000), ["x".repeat(1000)]), undefined);
});
