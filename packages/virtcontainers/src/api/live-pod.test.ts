import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LivePod, livePod } from "./live-pod.ts";

test("a pod that is only looked at is not kept in memory, one that is used is", () => {
  const looked = livePod("/r", "p", "1", false);
  const used = livePod("/r", "p", "1", true);
  assert.notEqual(looked, used);
  assert.equal(livePod("/r", "p", "1", false), used);
  assert.notEqual(livePod("/r", "p", "2", false), used, "made anew, it is another");
});

test("a pod is forgotten when nothing that has files of it open goes on, however that ends", async () => {
  const live = new LivePod("uuid");
  const [look, write] = [Promise.withResolvers<boolean>(), Promise.withResolvers<void>()];
  const seen = live.hold(look.promise);
  live.store((signal) => {
    signal.addEventListener("abort", () => write.reject(new Error("given up")), { once: true });
    return write.promise;
  });
  let isForgotten = false;
  const forgotten = live.abandon("pod").then(() => {
    isForgotten = true;
  });
  await nextTurn();
  assert.equal(isForgotten, false);
  look.resolve(true);
  await forgotten;
  assert.equal(await seen, true);
});
