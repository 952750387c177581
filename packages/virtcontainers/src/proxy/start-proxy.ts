import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { HuskError, messageOf } from "../errors/index.ts";
import { lockDescriptor, openLockFile } from "../store/flock.ts";
import { handSocketDown } from "../store/hand-down-socket.ts";
import { podEnvironment } from "../store/process-identity.ts";
import { cleanText } from "../untrusted-text.ts";
import type { ProxyCommand } from "./types.ts";

/** Descriptors in the proxy of its lock and of its listening socket. */
const LOCK_FD = 3;
const LISTEN_FD = 4;
/** What a proxy writes into its lock before the guest's fault that has ended it. */
const FAULT = "failed: ";
/** Bytes read of what a proxy has left in its lock. */
const MAX_FAULT_BYTES = 1024;

/** What is known of the proxy before. */
interface ProxyBefore {
  /** milliseconds that one which is just ending may take */
  readonly dyingMs?: number;
  /** it was that of an earlier VM, whose guest's faults do not count any more */
  readonly ofOtherVm?: boolean;
}

/**
 * Starts a proxy, unless one lives already: who has its lock is the only one. It is in a session of its own and survives its
 * caller; its socket listens before it starts, so that clients have nothing to wait for.
 * @returns whether it was started; false: somebody else has the lock
 * @throws HuskError ERR_PROXY_START, ERR_AGENT_PROTOCOL when the one before has ended by the guest's fault, ERR_LOCK, ERR_STORE
 */
export async function startProxy(
  command: ProxyCommand,
  uuid: string,
  { dyingMs = 0, ofOtherVm = false }: ProxyBefore = {},
): Promise<boolean> {
  const lock = openLockFile(command.lock);
  try {
    const limits = { wait: dyingMs > 0, timeoutMs: dyingMs };
    if (!(await lockDescriptor(lock, { mode: "exclusive", ...limits }))) return false;
    if (!ofOtherVm) checkNoFault(lock);
    // What stands in it is the number of a dead one.
    ftruncateSync(lock);
    const log = openSync(command.log, "a", 0o600);
    try {
      const child = await handSocketDown(command.socket, (listening) =>
        spawnProxy(command, { lock, log, listening }, uuid),
      );
      if (child.pid !== undefined) writeSync(lock, String(child.pid), 0);
      await spawned(child, command);
    } finally {
      closeSync(log);
    }
    return true;
  } finally {
    closeSync(lock);
  }
}

/** A guest that has broken its protocol's rules gets no other proxy. */
function checkNoFault(lock: number): void {
  const bytes = Buffer.alloc(MAX_FAULT_BYTES);
  const text = bytes.toString("utf8", 0, readSync(lock, bytes, 0, bytes.length, 0));
  if (!text.startsWith(FAULT)) return;
  const reason = cleanText(text.slice(FAULT.length)).trim();
  throw new HuskError("ERR_AGENT_PROTOCOL", `the pod's proxy has ended for good: ${reason}`);
}

function spawnProxy(
  { argv }: ProxyCommand,
  { lock, log, listening }: { lock: number; log: number; listening: number },
  uuid: string,
): ChildProcess {
  const stdio: StdioOptions = ["ignore", log, log];
  stdio[LOCK_FD] = lock;
  stdio[LISTEN_FD] = listening;
  const [program = "", ...args] = argv;
  const more = ["-lock-fd", String(LOCK_FD), "-listen-fd", String(LISTEN_FD)];
  const env = { ...process.env, ...podEnvironment(uuid) };
  return spawn(program, [...args, ...more], { stdio, env, detached: true, cwd: "/" });
}

/** `spawn` or `error` comes in a later turn than the one that has just made the child. */
async function spawned(child: ChildProcess, { argv }: ProxyCommand): Promise<void> {
  try {
    if (child.pid === undefined) await once(child, "spawn");
  } catch (error) {
    const text = `the proxy ${argv[0]} cannot be started: ${messageOf(error)}`;
    throw new HuskError("ERR_PROXY_START", text, { cause: error });
  }
  child.unref();
}
