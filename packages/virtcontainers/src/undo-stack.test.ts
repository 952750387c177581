import assert from "node:assert/strict";
import { test } from "node:test";
import { UndoStack } from "./undo-stack.ts";

async function run(options: { commit: boolean; failing?: boolean }): Promise<string[]> {
  const done: string[] = [];
  {
    await using undo = new UndoStack();
    undo.push(() => done.push("first"));
    undo.push(async () => {
      if (options.failing) throw new Error("cannot undo");
      done.push("second");
    });
    undo.push(() => done.push("third"));
    if (options.commit) undo.commit();
  }
  return done;
}

test("what is not committed is undone in reverse order", async () => {
  assert.deepEqual(await run({ commit: false }), ["third", "second", "first"]);
  assert.deepEqual(await run({ commit: true }), []);
});

test("a step that cannot be undone does not keep the others from it", async () => {
  assert.deepEqual(await run({ commit: false, failing: true }), ["third", "first"]);
});
