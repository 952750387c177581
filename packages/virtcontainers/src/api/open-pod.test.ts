import assert from "node:assert/strict";
import { test } from "node:test";
import { createPod } from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import { Call } from "./call.ts";
import { withPod } from "./open-pod.ts";

test("an exclusive call keeps the lock until its action is done", async (t) => {
  const { config, options } = makeMockBench(t);
  await createPod(config(), options);
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const firstHolds = Promise.withResolvers<void>();
  const one = withPod("pod", new Call(options), "exclusive", async () => {
    firstHolds.resolve();
    await first.promise;
    order.push("first is done");
  });
  await firstHolds.promise;
  const two = withPod("pod", new Call(options), "exclusive", async () => void order.push("second begins"));
  // A third call that may not wait sees that the lock is held.
  await assert.rejects(
    withPod("pod", new Call({ ...options, signal: AbortSignal.timeout(100) }), "exclusive", async () => {
      order.push("third begins");
    }),
    { code: "ERR_ABORTED" },
  );
  first.resolve();
  await Promise.all([one, two]);
  assert.deepEqual(order, ["first is done", "second begins"]);
});
