/**
 * A proxy that has died is started anew by whoever misses it first.
 *
 * Who starts one has `proxy.json` locked meanwhile, so that others find either no proxy, or one whose socket is there.
 */

import * as sys from "tiny:sys";
import {
  EPOLLIN,
  Errno,
  hasErrno,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  startDetached,
  startTimer,
  stopTimer,
  tryLock,
  unlock,
  unwatch,
  waitForLock,
  watch,
} from "@husk/tiny";
import { listenAt } from "./listen-at.ts";
import { type ProxyCommand, readProxyCommand, readProxyFault, readProxyPid } from "./proxy-command.ts";

/** Milliseconds that a proxy which has closed its connections may take to let go of its lock. */
const DYING_MS = 1000;
/** Milliseconds that another one may take to start the proxy. */
const STARTING_MS = 10_000;
/** Clients that may wait until the proxy accepts them: all shims of a large pod. */
const BACKLOG = 1024;
/** Names the pod that a process belongs to. */
const POD_VARIABLE = "HUSK_POD=";
/** What is handed down: the lock and the socket, behind input, output and error output. */
const HANDED_DOWN = ["-lock-fd", "3", "-listen-fd", "4"];

/**
 * Process id of the pod's proxy: to be asked when a connection to it stands, and told {@link reviveProxy} when it is lost.
 * It is only of help then, and what is wrong with the file is said then.
 *
 * @param commandFile path of the pod's `proxy.json`, if it is known
 */
export function proxyPid(commandFile: string | undefined): number | undefined {
  if (commandFile === undefined) return undefined;
  try {
    const fd = sys.open(commandFile, O_RDONLY | O_CLOEXEC, 0);
    try {
      return readProxyPid(readProxyCommand(fd, commandFile).lock);
    } finally {
      sys.close(fd);
    }
  } catch {
    return undefined;
  }
}

/**
 * Sees to it that a proxy listens, after the connection to one was lost. True when it was started here; false when another
 * one runs, or the same one still does.
 *
 * @param commandFile path of the pod's `proxy.json`
 * @param lost process id of the proxy that is missed, if it is known: it may be about to end
 * @throws Error when there is no proxy and none can be started
 */
export async function reviveProxy(commandFile: string, lost: number | undefined): Promise<boolean> {
  const fd = sys.open(commandFile, O_RDONLY | O_CLOEXEC, 0);
  try {
    const command = readProxyCommand(fd, commandFile);
    if (lost !== undefined && readProxyPid(command.lock) === lost) await waitForEnd(lost, DYING_MS);
    if (!(await waitForLock(fd, STARTING_MS)))
      throw new Error(`somebody has had ${commandFile} locked for ${STARTING_MS} ms`);
    try {
      return startUnlessAlive(command);
    } finally {
      unlock(fd);
    }
  } finally {
    sys.close(fd);
  }
}

/** Resolves when a process has ended, or the time is up. */
function waitForEnd(pid: number, timeoutMs: number): Promise<void> {
  const process = openProcess(pid);
  if (process === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stopTimer(timer);
      unwatch(process);
      sys.close(process);
      resolve();
    };
    const timer = startTimer(timeoutMs, done);
    watch(process, EPOLLIN, done);
  });
}

function openProcess(pid: number): number | undefined {
  try {
    return sys.pidfdOpen(pid);
  } catch (error) {
    if (hasErrno(error, Errno.ESRCH)) return undefined;
    throw error;
  }
}

function startUnlessAlive(command: ProxyCommand): boolean {
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  try {
    const lock = keep(sys.open(command.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600));
    if (!tryLock(lock)) return false;
    const fault = readProxyFault(command.lock);
    if (fault !== undefined) throw new Error(fault);
    const socket = keep(listenAt(command.socket, BACKLOG));
    const log = keep(sys.open(command.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600));
    const nothing = keep(sys.open("/dev/null", O_RDONLY | O_CLOEXEC, 0));
    const descriptors = [nothing, log, log, lock, socket];
    startDetached({ argv: [...command.argv, ...HANDED_DOWN], environ: podMark(), descriptors });
    return true;
  } finally {
    for (const fd of opened) sys.close(fd);
  }
}

/** The variable by which processes of the pod are found. */
function podMark(): string[] {
  return sys.environ.filter((variable) => variable.startsWith(POD_VARIABLE));
}
