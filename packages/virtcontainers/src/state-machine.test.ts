import assert from "node:assert/strict";
import { test } from "node:test";
import { canMove, checkMove, checkState } from "./state-machine.ts";
import type { State } from "./types/index.ts";

test("the moves are those of the table and no others", () => {
  const states: State[] = ["ready", "running", "paused", "stopped"];
  const moves = states.flatMap((from) =>
    states.filter((to) => canMove(from, to)).map((to) => `${from}>${to}`),
  );
  assert.deepEqual(moves, [
    "ready>running",
    "ready>stopped",
    "running>paused",
    "running>stopped",
    "paused>running",
    "paused>stopped",
    "stopped>running",
  ]);
});

test("errors name the subject and the states", () => {
  assert.throws(() => checkMove({ podId: "p" }, "running", "running"), {
    code: "ERR_STATE_INVALID",
    message: 'pod "p" is running and cannot become running',
  });
  const subject = { podId: "p", containerId: "c" };
  assert.throws(() => checkState(subject, "stopped", ["running"], "to be entered"), {
    message: 'container "c" of pod "p" is stopped; it must be running to be entered',
    containerId: "c",
  });
  checkState(subject, "ready", ["ready", "running"], "to be entered");
});
