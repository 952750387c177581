/** The event loop: epoll, timers, promises. One per program; {@link run} is the last thing a program's entry calls. */
import * as sys from "tiny:sys";
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from "./constants.ts";
import { installText } from "./text.ts";
import { Timers } from "./timers.ts";

installText();

/** Called with the `EPOLL*` bits that are true. It may be called for nothing: descriptors must be non-blocking. */
export type Ready = (events: number) => void;

/** (fd, events) pairs taken from the kernel in one turn. */
const BATCH = 32;

const epoll = sys.epollCreate();
const batch = new Int32Array(2 * BATCH);
const watchers: (Ready | undefined)[] = [];
const timers = new Timers();
const rejected = new Map<Promise<unknown>, unknown>();
let soon: (() => void)[] = [];
let running = false;
let onError: (error: unknown) => void = (error) => {
  throw error;
};

/** Calls `ready` whenever one of `events` (`EPOLLIN` …, with `EPOLLET` for edges only) is true of `fd`. */
export function watch(fd: number, events: number, ready: Ready): void {
  sys.epollCtl(epoll, EPOLL_CTL_ADD, fd, events);
  watchers[fd] = ready;
}

/** Changes which events of a watched descriptor count. */
export function rewatch(fd: number, events: number): void {
  sys.epollCtl(epoll, EPOLL_CTL_MOD, fd, events);
}

/** Ends the watch. Call it before the descriptor is closed. */
export function unwatch(fd: number): void {
  if (!watchers[fd]) return;
  watchers[fd] = undefined;
  sys.epollCtl(epoll, EPOLL_CTL_DEL, fd, 0);
}

/** Calls `task` in the next turn of the loop, after the events that are there by then. */
export function callSoon(task: () => void): void {
  soon.push(task);
}

/** Calls `task` once, `delayMs` milliseconds from now; returns a handle for {@link stopTimer}. */
export function startTimer(delayMs: number, task: () => void): number {
  return timers.start(delayMs, task);
}

/** Stops a timer; one that has fired, or `undefined`, is left as it is. */
export function stopTimer(timer: number | undefined): void {
  if (timer !== undefined) timers.stop(timer);
}

/** What is done with an error that no one caught, in a callback or a promise. The default ends the program with it. */
export function onUncaught(handler: (error: unknown) => void): void {
  onError = handler;
}

/** Ends {@link run} after this turn. */
export function stop(): void {
  running = false;
}

function guard(task: () => void): void {
  try {
    task();
  } catch (error) {
    onError(error);
  }
}

function settle(): void {
  guard(sys.runJobs);
  if (rejected.size === 0) return;
  const reasons = [...rejected.values()];
  rejected.clear();
  for (const reason of reasons) onError(reason);
}

function turn(): void {
  const timeout = soon.length > 0 ? 0 : timers.delay();
  const count = sys.epollWait(epoll, batch, timeout);
  for (let i = 0; i < count; i++) {
    // A handler earlier in this batch may have ended this watch.
    const ready = watchers[batch[2 * i] as number];
    if (!ready) continue;
    guard(() => ready(batch[2 * i + 1] as number));
    settle();
  }
  if (soon.length > 0) {
    const tasks = soon;
    soon = [];
    for (const task of tasks) guard(task);
    settle();
  }
  if (timers.fire(guard)) settle();
}

/** Runs the loop until {@link stop} is called. With `main`, until its promise settles; what it throws is thrown here. */
export function run(main?: () => Promise<void>): void {
  let failure: { error: unknown } | undefined;
  sys.onRejection((promise, reason, handled) => {
    if (handled) rejected.delete(promise);
    else rejected.set(promise, reason);
  });
  running = true;
  main?.().then(stop, (error) => {
    failure = { error };
    stop();
  });
  settle();
  while (running) turn();
  if (failure) throw failure.error;
}
