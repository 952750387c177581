import type { Socket } from "node:net";
import { HuskError, systemCode } from "../../errors/index.ts";
import { FileLock, lockDescriptor, openLockFile } from "../../store/flock.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import { connectRelay } from "./relay-client.ts";
import { connectSocket } from "./socket.ts";

/** The two channels of the agent: those of the VM, with the lock that makes them ours, or those of a relay. */
export interface Channel {
  readonly control: Socket;
  readonly stream: Socket;
  /** held by the owner; undefined: another process relays */
  readonly lock: FileLock | undefined;
}

/** How the channels are got. */
export interface ChannelOptions {
  readonly directory: PodDirectory;
  readonly signal?: AbortSignal | undefined;
  /** milliseconds after which it is given up */
  readonly timeoutMs: number;
  /** the VM is new: whoever holds the lock is about to let it go */
  readonly fresh: boolean;
  readonly onlyOwner?: boolean | undefined;
}

/** Milliseconds to wait for a lock whose holder does not relay: it is just beginning or just ending. */
const HAND_OVER_MS = 200;

/**
 * Gets at the agent's channels. QEMU takes one client only, so the holder of a lock connects, and relays for the others.
 * @returns undefined only with `onlyOwner`, when another process is the owner
 * @throws HuskError ERR_AGENT_DISCONNECTED, ERR_ABORTED, ERR_LOCK
 */
export async function openChannel(options: ChannelOptions): Promise<Channel | undefined> {
  const { directory, signal } = options;
  const fd = openLockFile(directory.file("agentLock"));
  const lock = new FileLock(fd);
  try {
    const isOwner = await contend(fd, options);
    if (typeof isOwner !== "boolean") {
      lock.release();
      return { ...isOwner, lock: undefined };
    }
    if (isOwner) return { ...(await connectVm(directory, signal)), lock };
    lock.release();
    return undefined;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @returns true: the lock is ours; false: only the owner would do, and it is another; else a relay's sockets */
async function contend(
  fd: number,
  options: ChannelOptions,
): Promise<boolean | { control: Socket; stream: Socket }> {
  const { directory, signal, fresh, timeoutMs } = options;
  const mode = "exclusive";
  if (fresh) {
    if (await lockDescriptor(fd, { mode, timeoutMs, signal })) return true;
    throw new HuskError(
      "ERR_AGENT_DISCONNECTED",
      "another process holds the agent's channels of this new VM",
    );
  }
  const end = performance.now() + timeoutMs;
  if (await lockDescriptor(fd, { mode, wait: false, signal })) return true;
  if (options.onlyOwner) return false;
  for (;;) {
    const relay = await connectRelay(directory, { signal, timeoutMs: Math.max(1, end - performance.now()) });
    if (relay) return relay;
    if (await lockDescriptor(fd, { mode, timeoutMs: HAND_OVER_MS, signal })) return true;
    if (performance.now() > end) {
      throw new HuskError(
        "ERR_AGENT_DISCONNECTED",
        "the process that holds the agent's channels does not relay them",
      );
    }
  }
}

async function connectVm(
  directory: PodDirectory,
  signal?: AbortSignal,
): Promise<{ control: Socket; stream: Socket }> {
  try {
    const control = await connectSocket(directory.socket("control"), signal);
    try {
      return { control, stream: await connectSocket(directory.socket("stream"), signal) };
    } catch (error) {
      control.destroy();
      throw error;
    }
  } catch (error) {
    if (error instanceof HuskError) throw error;
    const text = `nobody serves the agent's channels (${systemCode(error)}): the VM has ended`;
    throw new HuskError("ERR_AGENT_DISCONNECTED", text, { cause: error });
  }
}
