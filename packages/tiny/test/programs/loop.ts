/** The event loop: descriptors, timers, promises, and errors that no one catches. */
import * as sys from "tiny:sys";
import {
  callSoon,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  O_CLOEXEC,
  O_NONBLOCK,
  onUncaught,
  rewatch,
  startTimer,
  stop,
  stopTimer,
  unwatch,
  watch,
} from "../../src/index.ts";
import { Timers } from "../../src/timers.ts";
import { failureOf, promiseOf, runScenarios } from "./scenarios.ts";

const pipe = () => sys.pipe2(O_CLOEXEC | O_NONBLOCK);
const byte = new Uint8Array([120]);
const put = (fd: number) => sys.write(fd, byte, 0, 1);
const take = (fd: number) => sys.read(fd, new Uint8Array(1), 0, 1);
const afterTurn = () => new Promise<void>((resolve) => callSoon(resolve));

/** Turns of the loop that are enough for a watcher to be called wrongly. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await afterTurn();
}

runScenarios({
  async level() {
    const [reader, writer] = pipe();
    const [done, finish] = promiseOf<void>();
    let calls = 0;
    for (let i = 0; i < 3; i++) put(writer);
    watch(reader, EPOLLIN, () => {
      calls++;
      take(reader);
      if (calls === 3) finish();
    });
    await done;
    await someTurns();
    return calls;
  },

  async edge() {
    const [reader, writer] = pipe();
    const calls: number[] = [];
    let called = 0;
    watch(reader, EPOLLIN | EPOLLET, () => called++);
    put(writer);
    await someTurns();
    calls.push(called);
    await someTurns();
    calls.push(called);
    put(writer);
    await someTurns();
    calls.push(called);
    return calls;
  },

  async rewatch() {
    const [reader, writer] = pipe();
    let calls = 0;
    watch(writer, EPOLLIN, () => calls++);
    await someTurns();
    const before = calls;
    rewatch(writer, EPOLLOUT);
    await someTurns();
    take(reader);
    return [before, calls > 0];
  },

  async unwatchInBatch() {
    const pipes = [pipe(), pipe()];
    const called: number[] = [];
    for (const [reader, writer] of pipes) {
      put(writer);
      watch(reader, EPOLLIN, () => {
        called.push(reader);
        for (const [other] of pipes) unwatch(other);
      });
    }
    await someTurns();
    return called.length;
  },

  // A handler closes another's descriptor and opens one of the same number: the event on its way is then another's.
  async spurious() {
    const first = pipe();
    const second = pipe();
    const reads: number[] = [];
    const replace = (victim: number) => {
      unwatch(victim);
      sys.close(victim);
      const [reader] = pipe();
      if (reader !== victim) throw new Error("the number was not used again");
      watch(reader, EPOLLIN, () => reads.push(take(reader)));
    };
    let replaced = false;
    for (const [own, victim] of [
      [first[0], second[0]],
      [second[0], first[0]],
    ] as const) {
      watch(own, EPOLLIN, () => {
        if (replaced) return;
        replaced = true;
        unwatch(own);
        replace(victim);
      });
    }
    put(first[1]);
    put(second[1]);
    await someTurns();
    return [replaced, reads.every((count) => count === -1)];
  },

  watchTwice() {
    const [reader] = pipe();
    watch(reader, EPOLLIN, () => {});
    unwatch(reader);
    unwatch(reader);
    watch(reader, EPOLLIN, () => {});
    return failureOf(() => watch(reader, EPOLLIN, () => {}));
  },

  async timers() {
    const fired: string[] = [];
    const [done, finish] = promiseOf<void>();
    const note = (name: string) => () => void fired.push(name);
    startTimer(30, () => {
      fired.push("last");
      finish();
    });
    startTimer(10, note("second"));
    const stopped = startTimer(5, note("stopped"));
    startTimer(1, () => {
      fired.push("first");
      stopTimer(stopped);
      stopTimer(undefined);
    });
    startTimer(20, note("third"));
    startTimer(20, note("third again"));
    await done;
    return fired;
  },

  async nestedTimers() {
    const fired: string[] = [];
    const [done, finish] = promiseOf<void>();
    startTimer(0, () => {
      startTimer(0, () => {
        fired.push("inner");
        finish();
      });
      fired.push("outer");
    });
    await done;
    return fired;
  },

  stopInTurn() {
    const timers = new Timers();
    const fired: number[] = [];
    timers.start(-2, () => {
      fired.push(1);
      timers.stop(second);
    });
    const second = timers.start(-1, () => fired.push(2));
    const anything = timers.fire((task) => task());
    return [fired, anything, timers.fire((task) => task()), timers.delay()];
  },

  delays() {
    return [Number.POSITIVE_INFINITY, 2 ** 40, -5].map((delayMs) => {
      const timers = new Timers();
      timers.start(delayMs, () => {});
      return timers.delay();
    });
  },

  async order() {
    const seen: string[] = [];
    callSoon(() => seen.push("soon"));
    Promise.resolve().then(() => {
      seen.push("promise");
      callSoon(() => seen.push("soon after"));
    });
    seen.push("now");
    await someTurns();
    return seen;
  },

  async rejections() {
    const told: string[] = [];
    onUncaught((error) => told.push((error as Error).message));
    const late = Promise.reject(new Error("handled in the same turn"));
    callSoon(() => void Promise.reject(new Error("not handled")));
    late.catch(() => {});
    await someTurns();
    return told;
  },

  // The handler is told once of each, and the loop goes on.
  async uncaught() {
    const told: string[] = [];
    const [reader, writer] = pipe();
    onUncaught((error) => told.push((error as Error).message));
    put(writer);
    watch(reader, EPOLLIN, () => {
      take(reader);
      throw new Error("of a descriptor");
    });
    const [done, finish] = promiseOf<void>();
    startTimer(1, () => {
      callSoon(finish);
      throw new Error("of a timer");
    });
    callSoon(() => {
      throw new Error("of a task");
    });
    await done;
    return told.sort();
  },

  async throwInCallback() {
    startTimer(0, () => {
      throw new Error("nobody catches this");
    });
    await new Promise(() => {});
  },

  async rejectUnheard() {
    callSoon(() => void Promise.reject(new Error("nobody hears this")));
    await new Promise(() => {});
  },

  async throwInMain() {
    await afterTurn();
    throw new TypeError("main has failed");
  },

  async throwNull() {
    await afterTurn();
    throw null;
  },

  async handlerThrows() {
    let told = 0;
    onUncaught(() => {
      throw new Error(`told ${++told} times`);
    });
    callSoon(() => void Promise.reject(new Error("the first")));
    await new Promise(() => {});
  },

  async stop() {
    callSoon(stop);
    await new Promise(() => {});
  },
});
