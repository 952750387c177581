import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("calls");
after(() => program.remove());

test("calls with long payloads come back on several streams at once", async () => {
  assert.equal(await program.report("echo", "10", "300000"), 20);
});

test("calls come back one after the other", async () => {
  assert.equal(await program.report("sequence", "200"), 200);
});

test("a call that cannot be served fails with a status and a text", async () => {
  const [failure, code] = (await program.report("failure")) as [unknown, number];
  assert.deepEqual(failure, [code, 'service test.Echo has no method "Nope"']);
});
