/** Forking a child into a place, and hearing whether it got there. */

import * as sys from "tiny:sys";
import {
  CLONE_NEWPID,
  EPOLLIN,
  O_CLOEXEC,
  O_NONBLOCK,
  SIGKILL,
  startTimer,
  stopTimer,
  unwatch,
  watch,
} from "@husk/tiny";
import { COMPLAINT_BYTES, complain, forkChild } from "./fork-child.ts";

/** Milliseconds that a child has to become its program; mounting a slow disk under emulation takes a few hundred. */
const SETUP_MS = 60_000;

/** A child that has been forked. */
export interface StartedChild {
  pid: number;
  /** Resolves when the child has become its program; rejects with what stopped it before. */
  started: Promise<void>;
}

/**
 * Reads the child's complaint until the pipe closes, which execve does too. A child that neither gets there nor complains
 * is killed, so that the host's next commands are served. Its end is not waited for: on a disk that never answers, not
 * even SIGKILL is heard.
 */
function hearComplaint(pid: number, fd: number, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const buffer = new Uint8Array(COMPLAINT_BYTES);
    let size = 0;
    const stopHearing = () => {
      stopTimer(timer);
      unwatch(fd);
      sys.close(fd);
    };
    const timer = startTimer(deadlineMs, () => {
      stopHearing();
      reject(new Error(`the process was not set up in ${deadlineMs} ms`));
      sys.kill(pid, SIGKILL);
    });
    watch(fd, EPOLLIN, () => {
      const count = sys.read(fd, buffer, size, buffer.length - size);
      if (count < 0) return;
      size += count;
      if (count > 0 && size < buffer.length) return;
      stopHearing();
      if (size === 0) resolve();
      else reject(new Error(sys.decodeUtf8(buffer.subarray(0, size))));
    });
  });
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

/**
 * Forks a child that runs `body`, which ends in `execve` or `exit`, or goes on for ever and says when it has arrived.
 * What `body` throws is the rejection of `started`.
 *
 * @param pidNamespace descriptor of the PID namespace to be born in; undefined for the agent's own
 * @param namespaces `CLONE_NEW*` of namespaces that the child gets anew
 * @param deadlineMs milliseconds that the child has
 */
export function startChild(
  body: (arrived: () => void) => never,
  pidNamespace: number | undefined,
  namespaces = 0,
  deadlineMs = SETUP_MS,
): StartedChild {
  const [hear, tell] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
  const child = (): never => {
    try {
      body(() => sys.close(tell));
    } catch (error) {
      complain(tell, error);
    }
    sys.exit(70);
  };
  try {
    const pid = forkInto(pidNamespace, child, namespaces);
    return { pid, started: hearComplaint(pid, hear, deadlineMs) };
  } catch (error) {
    sys.close(hear);
    throw error;
  } finally {
    sys.close(tell);
  }
}
