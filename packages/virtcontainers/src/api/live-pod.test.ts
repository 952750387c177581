import assert from "node:assert/strict";
import { test } from "node:test";
import { livePod } from "./live-pod.ts";

test("a pod that is only looked at is not kept in memory, one that is used is", () => {
  const looked = livePod("/r", "p", "1", false);
  const used = livePod("/r", "p", "1", true);
  assert.notEqual(looked, used);
  assert.equal(livePod("/r", "p", "1", false), used);
  assert.notEqual(livePod("/r", "p", "2", false), used, "made anew, it is another");
});
