import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("loop");
after(() => program.remove());

const reports: [scenario: string, what: string, expected: unknown][] = [
  ["level", "a watched descriptor is told of again while something is left", 3],
  ["edge", "an edge is told of once, whatever is left", [1, 1, 2]],
  ["rewatch", "other events can be asked for", [0, true]],
  ["unwatchInBatch", "a watch that ended in the same batch is not called", 1],
  ["spurious", "an event of a closed descriptor finds nothing in its successor", [true, true]],
  ["timers", "timers fire in order, stopped ones never", ["first", "second", "third", "third again", "last"]],
  ["nestedTimers", "a timer may start a timer", ["outer", "inner"]],
  ["stopInTurn", "a timer that is due can still be stopped", [[1], true, false, -1]],
  ["delays", "a wait that epoll cannot count is cut", [0x7fffffff, 0x7fffffff, 0]],
  ["order", "promises come before what is called soon", ["now", "promise", "soon", "soon after"]],
  ["rejections", "only a rejection that stays without a handler counts", ["not handled"]],
  ["uncaught", "the handler is told of each error", ["of a descriptor", "of a task", "of a timer"]],
];
for (const [scenario, what, expected] of reports) {
  test(what, async () => assert.deepEqual(await program.report(scenario), expected));
}

test("the same descriptor is not watched twice", async () => {
  const { syscall, errno } = (await program.report("watchTwice")) as { syscall: string; errno: number };
  assert.deepEqual([syscall, errno], ["epoll_ctl", 17]);
});

const deaths: [scenario: string, what: string, stderr: RegExp][] = [
  ["throwInCallback", "an error in a callback", /^Error: nobody catches this\n +at .*\n +at guard\n/],
  ["rejectUnheard", "a rejection that nobody hears", /^Error: nobody hears this\n +at /],
  ["throwInMain", "an error of main", /^TypeError: main has failed\n +at /],
  ["throwNull", "an error that is no object", /^null\n/],
  ["handlerThrows", "an error of the handler of errors", /^Error: told 1 times\n/],
];
for (const [scenario, what, stderr] of deaths) {
  test(`${what} ends the program with 70, and says what it was`, async () => {
    const outcome = await program.run(scenario);
    assert.deepEqual([outcome.code, outcome.signal, outcome.stdout], [70, null, ""]);
    assert.match(outcome.stderr, stderr);
  });
}

test("stop ends the program although main has not", async () => {
  const { code, stderr } = await program.run("stop");
  assert.deepEqual([code, stderr], [0, ""]);
});
