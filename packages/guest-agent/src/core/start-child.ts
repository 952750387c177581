/** Forking a child into a place, hearing whether it gets there, and having it wait on the way. */

import * as sys from "tiny:sys";
import { CLONE_NEWPID, O_CLOEXEC, O_NONBLOCK, writeAll } from "@husk/tiny";
import { ChildLine, News } from "./child-line.ts";
import { complain, forkChild } from "./fork-child.ts";

/** Milliseconds that a child has to become its program; mounting a slow disk under emulation takes a few hundred. */
const SETUP_MS = 60_000;

/** What a child says on its way, and waits for. */
export interface Course {
  /** Says that it has arrived where it stays; it is heard no more. */
  arrive(): void;
  /** Waits until the agent lets it go on. */
  pause(): void;
  /** Closes all descriptors but these and its own: while it waits they would keep the streams of other processes open. */
  keepOnly(descriptors: readonly number[]): void;
}

/** A child that has been forked. */
export interface StartedChild {
  pid: number;
  /** Resolves when the child pauses, or has become its program; rejects with what stopped it before. */
  started: Promise<void>;
  /** Lets a child that pauses go on; resolves as `started` does. @throws Error when it has ended meanwhile */
  goOn(): Promise<void>;
  /** Lets go of a child that pauses and will not go on: it has ended, or shall. */
  forget(): void;
}

/** How a child is started. */
export interface ChildOptions {
  /** descriptor of the PID namespace to be born in; undefined for the agent's own */
  pidNamespace?: number | undefined;
  /** `CLONE_NEW*` of namespaces that the child gets anew */
  namespaces?: number;
  /** milliseconds that the child has up to each stop, and from there to its program */
  deadlineMs?: number;
  /** whether it pauses on its way */
  pauses?: boolean;
}

function forkInto(pidNamespace: number | undefined, body: () => never, namespaces: number): number {
  if (pidNamespace === undefined) return forkChild(body, namespaces);
  // A PID namespace is entered by children only. Entering it here spares a second fork in between; one process, one
  // thread: nobody else can fork meanwhile.
  const own = sys.open("/proc/self/ns/pid", O_CLOEXEC, 0);
  try {
    sys.setns(pidNamespace, CLONE_NEWPID);
    try {
      return forkChild(body, namespaces);
    } finally {
      sys.setns(own, CLONE_NEWPID);
    }
  } finally {
    sys.close(own);
  }
}

/** Closes all descriptors but these, which are in ascending order. */
export function closeAllBut(kept: readonly number[]): void {
  let first = 0;
  for (const fd of kept) {
    if (fd > first) sys.closeRange(first, fd - 1);
    first = fd + 1;
  }
  sys.closeRange(first, 0xffffffff);
}

function makeCourse(tell: number, wait: number | undefined): Course {
  return {
    arrive: () => sys.close(tell),
    keepOnly: (descriptors) => {
      const own = wait === undefined ? [tell] : [tell, wait];
      closeAllBut([...descriptors, ...own].sort((a, b) => a - b));
    },
    pause: () => {
      if (wait === undefined) throw new Error("this child does not pause");
      writeAll(tell, Uint8Array.of(News.PAUSES));
      // Without the agent there is nobody to go on for.
      if (sys.read(wait, new Uint8Array(1), 0, 1) !== 1) sys.exit(70);
    },
  };
}

/**
 * Forks a child that runs `body`, which ends in `execve` or `exit`, or goes on for ever and says when it has arrived.
 * What `body` throws is the rejection of `started`, or of {@link StartedChild.goOn}.
 */
export function startChild(body: (course: Course) => never, options: ChildOptions = {}): StartedChild {
  const { pidNamespace, namespaces = 0, deadlineMs = SETUP_MS, pauses = false } = options;
  const [hear, tell] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
  const [wait, go] = pauses ? sys.pipe2(O_CLOEXEC) : [];
  const child = (): never => {
    try {
      body(makeCourse(tell, wait));
    } catch (error) {
      writeAll(tell, Uint8Array.of(News.COMPLAINS));
      complain(tell, error);
    }
    sys.exit(70);
  };
  try {
    const pid = forkInto(pidNamespace, child, namespaces);
    const line = new ChildLine(pid, hear, go, deadlineMs);
    return { pid, started: line.hear(), goOn: () => line.goOn(), forget: () => line.forget() };
  } catch (error) {
    sys.close(hear);
    if (go !== undefined) sys.close(go);
    throw error;
  } finally {
    sys.close(tell);
    if (wait !== undefined) sys.close(wait);
  }
}
