import assert from "node:assert/strict";
import { test } from "node:test";
import { throwIfAborted, withDeadline } from "./deadline.ts";

const forever = () => new Promise<never>(() => {});

test("a promise that settles first decides", async () => {
  assert.equal(await withDeadline(Promise.resolve(7), { ms: 1e9, what: "x" }), 7);
  await assert.rejects(withDeadline(Promise.reject(new Error("own")), { ms: 1e9, what: "x" }), /own/);
});

test("a passed deadline and an abort have errors of their own", async () => {
  await assert.rejects(withDeadline(forever(), { ms: 1, what: "the thing" }), {
    code: "ERR_TIMEOUT",
    message: /the thing/,
  });
  const own = new Error("own");
  await assert.rejects(withDeadline(forever(), { ms: 1, what: "x", onTimeout: () => own }), own);
  const controller = new AbortController();
  const waiting = withDeadline(forever(), { ms: 1e9, what: "x", signal: controller.signal });
  controller.abort("why");
  await assert.rejects(waiting, { code: "ERR_ABORTED", cause: "why" });
  await assert.rejects(withDeadline(forever(), { ms: 1e9, what: "x", signal: controller.signal }), {
    code: "ERR_ABORTED",
  });
  assert.throws(() => throwIfAborted(controller.signal), { code: "ERR_ABORTED" });
});
