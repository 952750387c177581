import assert from "node:assert/strict";
import { constants } from "node:os";
import { after, test } from "node:test";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";
import { CC_SIGNALS, KATA_SIGNALS } from "./forwarded-signals.ts";

const programs = await TestPrograms.build("fake-shim");
after(() => programs.remove());

const numbers = (text: string) =>
  text.split(" ").map((name) => constants.signals[`SIG${name}` as NodeJS.Signals]);

test("the signals of the original shims, but SIGCHLD", () => {
  const cc = numbers(
    "HUP INT TRAP ABRT USR1 USR2 ALRM TERM STKFLT CONT TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS",
  );
  assert.deepEqual(
    [...CC_SIGNALS],
    cc.sort((a, b) => a - b),
  );
  const not = numbers("KILL STOP PIPE CHLD");
  const standard = KATA_SIGNALS.filter((signal) => signal < 32);
  assert.deepEqual(
    standard,
    Array.from({ length: 31 }, (_, at) => at + 1).filter((signal) => !not.includes(signal)),
  );
  assert.ok(KATA_SIGNALS.includes(35) && KATA_SIGNALS.includes(64));
});

test("each of them goes to the process, the others do not", async () => {
  using shim = new FakeShim(programs);
  await shim.next("start");
  const pid = shim.process.pid ?? 0;
  for (const name of ["SIGPIPE", "SIGCHLD", "SIGWINCH"] as const) process.kill(pid, name);
  for (const signal of KATA_SIGNALS) {
    if (signal === constants.signals.SIGWINCH) continue;
    process.kill(pid, signal);
    assert.deepEqual(await shim.next("signal"), { signal });
  }
  assert.deepEqual(shim.rest, []);
  shim.order({ exit: 0 });
  assert.equal(await shim.ended, 0);
});
