import assert from "node:assert/strict";
import { test } from "node:test";
import { findStaleMessages } from "./kata-messages.ts";

test("the Kata agent's messages are made from the .proto files as they are", () => {
  assert.deepEqual(findStaleMessages(), [], "run `node scripts/kata-messages.ts`");
});
