import assert from "node:assert/strict";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { checkName, isName } from "./names.ts";

test("names are those that containerd takes", () => {
  for (const name of ["a", "0", "a.b", "a-b_c.d", "A1".repeat(38)]) assert.ok(isName(name), name);
  const wrong = ["", ".", "..", "a..b", "a--b", "-a", "a-", "a/b", "a\0", "a b", "ä", "a\n", "a".repeat(77)];
  for (const name of wrong) assert.ok(!isName(name), name);
});

test("what is no name is shown, but not all of it", () => {
  assert.throws(
    () => checkName("container", `../${"x".repeat(10_000)}`),
    (error) =>
      isHuskError(error, "ERR_NAME_INVALID") && /"\.\.\/xx/.test(error.message) && error.message.length < 200,
  );
  assert.throws(() => checkName("namespace", 7), /a value of type number is no name for a namespace/);
});
