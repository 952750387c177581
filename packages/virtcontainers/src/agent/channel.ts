import { HuskError, systemCode } from "../errors/index.ts";
import { FileLock, lockDescriptor, openLockFile } from "../store/flock.ts";
import type { PodDirectory } from "../store/pod-directory.ts";

/** A way to the agent: the VM's own sockets, with the lock that makes them ours, or those of a relay. */
export interface Channel<Ends> {
  readonly ends: Ends;
  /** held by the owner; undefined: another process relays */
  readonly lock: FileLock | undefined;
}

/** How the two ways are gone. */
export interface ChannelWays<Ends> {
  /** Connects to the sockets of the VM. @throws Error ENOENT or ECONNREFUSED when nobody serves them */
  connectVm(directory: PodDirectory, signal: AbortSignal | undefined): Promise<Ends>;
  /** Connects to the process that holds them. @returns undefined when nobody relays */
  connectRelay(
    directory: PodDirectory,
    options: { signal?: AbortSignal | undefined; timeoutMs: number },
  ): Promise<Ends | undefined>;
}

/** How a channel is got. */
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
 * Gets at the agent's channel. QEMU takes one client only, so the holder of a lock connects, and relays for the others.
 * @returns undefined only with `onlyOwner`, when another process is the owner
 * @throws HuskError ERR_AGENT_DISCONNECTED, ERR_ABORTED, ERR_LOCK
 */
export async function openChannel<Ends>(
  ways: ChannelWays<Ends>,
  options: ChannelOptions,
): Promise<Channel<Ends> | undefined> {
  const { directory, signal } = options;
  const fd = openLockFile(directory.file("agentLock"));
  const lock = new FileLock(fd);
  try {
    const contended = await contend(fd, ways, options);
    if (contended === "owner") return { ends: await connectVm(ways, directory, signal), lock };
    lock.release();
    return contended && { ends: contended.ends, lock: undefined };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @returns "owner": the lock is ours; undefined: only the owner would do, and it is another; else the ends of a relay */
async function contend<Ends>(
  fd: number,
  ways: ChannelWays<Ends>,
  options: ChannelOptions,
): Promise<"owner" | { ends: Ends } | undefined> {
  const { directory, signal, fresh, timeoutMs } = options;
  const mode = "exclusive";
  if (fresh) {
    if (await lockDescriptor(fd, { mode, timeoutMs, signal })) return "owner";
    throw new HuskError(
      "ERR_AGENT_DISCONNECTED",
      "another process holds the agent's channels of this new VM",
    );
  }
  const end = performance.now() + timeoutMs;
  if (await lockDescriptor(fd, { mode, wait: false, signal })) return "owner";
  if (options.onlyOwner) return undefined;
  for (;;) {
    const left = Math.max(1, end - performance.now());
    const ends = await ways.connectRelay(directory, { signal, timeoutMs: left });
    if (ends) return { ends };
    if (await lockDescriptor(fd, { mode, timeoutMs: HAND_OVER_MS, signal })) return "owner";
    if (performance.now() > end) {
      throw new HuskError(
        "ERR_AGENT_DISCONNECTED",
        "the process that holds the agent's channels does not relay them",
      );
    }
  }
}

async function connectVm<Ends>(
  ways: ChannelWays<Ends>,
  directory: PodDirectory,
  signal?: AbortSignal,
): Promise<Ends> {
  try {
    return await ways.connectVm(directory, signal);
  } catch (error) {
    if (error instanceof HuskError) throw error;
    const text = `nobody serves the agent's channels (${systemCode(error)}): the VM has ended`;
    throw new HuskError("ERR_AGENT_DISCONNECTED", text, { cause: error });
  }
}
