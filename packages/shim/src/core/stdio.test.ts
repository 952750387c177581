import assert from "node:assert/strict";
import { after, test } from "node:test";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";

const programs = await TestPrograms.build("fake-shim");
after(() => programs.remove());

test("output goes to stdout and stderr, input to the process, and its exit code is the shim's", async () => {
  using shim = new FakeShim(programs);
  const [stdout, stderr] = [shim.readAll("stdout"), shim.readAll("stderr")];
  assert.deepEqual(await shim.next("start"), { start: { stdout: 0, stderr: 0 } });
  shim.order({ taking: true }, { output: "stdout", text: "out\n" }, { output: "stderr", text: "err\n" });
  assert.deepEqual(await shim.next("written"), { written: "stdout", bytes: 4 });
  assert.deepEqual(await shim.next("written"), { written: "stderr", bytes: 4 });
  shim.process.stdin?.write("hi");
  assert.deepEqual(await shim.next("stdin"), { stdin: "6869" });
  shim.process.stdin?.end();
  await shim.next("closeStdin");
  shim.order({ end: "stdout" }, { exit: 7 });
  await shim.next("close");
  assert.equal(await shim.ended, 7);
  assert.deepEqual([await stdout, await stderr], ["out\n", "err\n"]);
  assert.deepEqual(shim.rest, [], "nothing was told twice");
});
