import assert from "node:assert/strict";
import { test } from "node:test";
import { ERROR_CATALOGUE, HuskError, isHuskError, renderErrorCatalogue } from "./index.ts";

test("every entry tells what it means and what to do", () => {
  for (const [code, entry] of Object.entries(ERROR_CATALOGUE)) {
    assert.match(code, /^ERR_[A-Z]+(_[A-Z]+)*$/);
    assert.match(entry.meaning, /\.$/, code);
    assert.match(entry.hint, /\.$/, code);
    assert.ok(entry.exitCode > 0 && entry.exitCode < 256, code);
  }
});

test("the page has every code once, in order", () => {
  const headings = [...renderErrorCatalogue().matchAll(/^## (.*)$/gm)].map(([, code]) => code);
  assert.deepEqual(headings, Object.keys(ERROR_CATALOGUE));
  assert.deepEqual(headings, [...headings].sort());
});

test("an error carries the catalogue's hint unless it has its own", () => {
  const plain = new HuskError("ERR_POD_NOT_FOUND", "there is no pod", { podId: "p" });
  assert.equal(plain.hint, ERROR_CATALOGUE.ERR_POD_NOT_FOUND.hint);
  assert.equal(plain.exitCode, ERROR_CATALOGUE.ERR_POD_NOT_FOUND.exitCode);
  assert.equal(new HuskError("ERR_QMP", "x", { hint: "own" }).hint, "own");
  assert.deepEqual(JSON.parse(JSON.stringify(plain)), {
    code: "ERR_POD_NOT_FOUND",
    message: "there is no pod",
    hint: plain.hint,
    podId: "p",
  });
});

test("isHuskError tells codes apart", () => {
  const error = new HuskError("ERR_QMP", "x");
  assert.ok(isHuskError(error) && isHuskError(error, "ERR_QMP"));
  assert.ok(!isHuskError(error, "ERR_LOCK") && !isHuskError(new Error("ERR_QMP")));
});

test("an error of another copy of the library is one, too", async () => {
  const other: typeof import("./husk-error.ts") = await import(`./husk-error.ts?${"copy"}`);
  const error = new other.HuskError("ERR_QMP", "x");
  assert.notEqual(other.HuskError, HuskError);
  assert.ok(error instanceof HuskError && isHuskError(error, "ERR_QMP"));
  assert.ok(!(Object.assign(new Error("x"), { name: "HuskError" }) instanceof HuskError));
});
