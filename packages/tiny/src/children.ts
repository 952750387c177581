/** Child processes: forked in TypeScript, reaped by SIGCHLD. */
import * as sys from "tiny:sys";
import { SIGCHLD, WNOHANG } from "./constants.ts";
import { callSoon } from "./loop.ts";
import { onSignals } from "./signals.ts";

/** How a process ended: its exit code, or 128 + the signal that killed it. */
export function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

const waiting = new Map<number, (status: number) => void>();
let reaping = false;
let orphaned: (pid: number, status: number) => void = () => {};

function reap(): void {
  for (let ended = sys.waitpid(-1, WNOHANG); ended; ended = sys.waitpid(-1, WNOHANG)) {
    const [pid, status] = ended;
    const notify = waiting.get(pid);
    waiting.delete(pid);
    // A child that nobody waits for is an orphan that came to us as PID 1 or subreaper.
    if (notify) notify(status);
    else orphaned(pid, status);
  }
}

/**
 * Reaps every child of this process from now on, with or without someone waiting for it. PID 1 calls it at its start;
 * {@link onExit} does so too.
 */
export function reapChildren(): void {
  if (reaping) return;
  reaping = true;
  onSignals([SIGCHLD], reap);
  // The signal of a child that has ended already was lost.
  callSoon(reap);
}

/** Calls `ended` with the pid and the wait status of each child that ends and that nobody waits for. */
export function onOrphanExit(ended: (pid: number, status: number) => void): void {
  reapChildren();
  orphaned = ended;
}

/** Calls `ended` with the wait status when the child ends. */
export function onExit(pid: number, ended: (status: number) => void): void {
  reapChildren();
  waiting.set(pid, ended);
}

/**
 * Forks; the child runs `body`, which must end in `execve` or `exit`. Whatever leaves it otherwise ends the child with
 * 70: a child never comes back to the event loop.
 *
 * @param namespaces `CLONE_NEW*` of namespaces that the child gets anew
 * @returns the child's pid
 */
export function fork(body: () => never, namespaces = 0): number {
  const pid = sys.fork(namespaces);
  if (pid !== 0) return pid;
  try {
    body();
  } catch {
    // The body reports its own errors; there is no one here to tell.
  }
  sys.exit(70);
}
