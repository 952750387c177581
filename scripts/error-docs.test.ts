import assert from "node:assert/strict";
import { test } from "node:test";
import { isErrorPageCurrent } from "./error-docs.ts";

test("docs/errors.md is made from the catalogue as it is", () => {
  assert.ok(isErrorPageCurrent(), "run `node scripts/error-docs.ts`");
});
