import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { HuskError, messageOf } from "../errors/index.ts";
import { descriptorOf } from "../store/descriptors.ts";
import { lockDescriptor, openLockFile } from "../store/flock.ts";
import { podEnvironment } from "../store/process-identity.ts";
import type { ProxyCommand } from "./types.ts";

/** Descriptors in the proxy of its lock and of its listening socket. */
const LOCK_FD = 3;
const LISTEN_FD = 4;
/** Clients that can wait until the proxy takes them. */
const BACKLOG = 511;

/**
 * Starts a proxy, unless one lives already: who has its lock is the only one. It is in a session of its own and survives its
 * caller; its socket listens before it starts, so that clients have nothing to wait for.
 * @returns whether it was started; false: somebody else has the lock
 * @throws HuskError ERR_PROXY_START, ERR_LOCK, ERR_STORE
 */
export async function startProxy(command: ProxyCommand, uuid: string): Promise<boolean> {
  const lock = openLockFile(command.lock);
  try {
    if (!(await lockDescriptor(lock, { mode: "exclusive", wait: false }))) return false;
    // What stands in it is the number of a dead one.
    ftruncateSync(lock);
    const log = openSync(command.log, "a", 0o600);
    try {
      await handDown(command, { lock, log }, uuid);
    } finally {
      closeSync(log);
    }
    return true;
  } finally {
    closeSync(lock);
  }
}

/**
 * The socket gets its name, the proxy is started and our own end is closed in one turn of the event loop, in which Node
 * cannot take a client that is the proxy's.
 */
async function handDown(
  { argv, socket }: ProxyCommand,
  { lock, log }: { lock: number; log: number },
  uuid: string,
): Promise<void> {
  rmSync(socket, { force: true });
  const server = createServer();
  try {
    // Node removes the path it bound when the server is closed; under its final name the socket stays.
    server.listen({ path: `${socket}.new`, backlog: BACKLOG });
    await once(server, "listening");
    renameSync(`${socket}.new`, socket);
  } catch (error) {
    server.close();
    throw new HuskError("ERR_STORE", `cannot make the socket ${socket}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const stdio: StdioOptions = ["ignore", log, log];
  stdio[LOCK_FD] = lock;
  stdio[LISTEN_FD] = descriptorOf(server);
  const env = { ...process.env, ...podEnvironment(uuid) };
  const [program = "", ...args] = argv;
  const more = ["-lock-fd", String(LOCK_FD), "-listen-fd", String(LISTEN_FD)];
  const child = spawn(program, [...args, ...more], { stdio, env, detached: true, cwd: "/" });
  if (child.pid !== undefined) writeSync(lock, String(child.pid), 0);
  server.close();
  await spawned(child, program);
  child.unref();
}

async function spawned(child: ChildProcess, program: string): Promise<void> {
  try {
    await once(child, "spawn");
  } catch (error) {
    const text = `the proxy ${program} cannot be started: ${messageOf(error)}`;
    throw new HuskError("ERR_PROXY_START", text, { cause: error });
  }
}
