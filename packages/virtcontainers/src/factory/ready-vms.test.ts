import assert from "node:assert/strict";
import { test } from "node:test";
import type { VmCacheTier } from "../types/index.ts";
import { ReadyVms } from "./ready-vms.ts";

const WANTED = { rehearsed: 1, paused: 1, prepared: 2 };

function readyVms(...tiers: VmCacheTier[]) {
  const ready = new ReadyVms<{ tier: VmCacheTier; at: number }>();
  for (const [at, tier] of tiers.entries()) ready.add({ tier, at });
  return ready;
}

test("the best is the one that has waited for longest of the best tier", () => {
  assert.equal(readyVms().best, undefined);
  assert.equal(readyVms("prepared", "paused", "rehearsed", "rehearsed").best?.at, 2);
});

test("the best tier that is short is the first to be made, and a better VM does for a lower tier", () => {
  assert.equal(readyVms("paused", "prepared").missingTier(WANTED), "rehearsed");
  assert.equal(readyVms("rehearsed", "prepared").missingTier(WANTED), "paused");
  assert.equal(readyVms("rehearsed", "rehearsed").missingTier(WANTED), "prepared");
  assert.equal(readyVms("rehearsed", "rehearsed", "rehearsed", "paused").missingTier(WANTED), undefined);
});

test("of too many, the latest of the lowest tier is one too many", () => {
  const tiers = ["prepared", "prepared", "paused", "rehearsed"] as const;
  assert.equal(readyVms(...tiers).surplus(WANTED), undefined);
  assert.equal(readyVms(...tiers, "rehearsed").surplus(WANTED)?.at, 1);
});

test("one of a tier is made of the best below", () => {
  const ready = readyVms("prepared", "rehearsed", "paused");
  assert.equal(ready.bestBelow("rehearsed")?.at, 2);
  assert.equal(ready.bestBelow("paused")?.at, 0);
  assert.equal(ready.bestBelow("prepared"), undefined);
});

test("one that is removed is told since when it was ready", () => {
  const ready = readyVms("paused");
  const [vm] = ready.all;
  assert.ok(vm);
  assert.ok((ready.remove(vm) ?? 0) > 0);
  assert.deepEqual([ready.remove(vm), ready.all], [undefined, []]);
});
