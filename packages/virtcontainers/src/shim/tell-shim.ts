import type { Socket } from "node:net";
import { connectSocket } from "../agent/socket.ts";
import { withDeadline } from "../deadline.ts";
import { systemCode } from "../errors/index.ts";

/** Milliseconds for a shim, which has nothing else to do, to take one message. */
const TELL_MS = 5_000;

/**
 * Tells a shim one message of the attach protocol. One that has ended is told in vain, as its process would be.
 * @throws HuskError ERR_TIMEOUT when it does not take it
 */
export async function tellShim(attachSocket: string, message: Uint8Array): Promise<void> {
  const socket = await connectShim(attachSocket);
  if (!socket) return;
  try {
    socket.resume();
    const closed = endOf(socket);
    socket.end(message);
    await withDeadline(closed, { ms: TELL_MS, what: "a shim to take a message" });
  } finally {
    socket.destroy();
  }
}

/**
 * Waits until a shim has ended; at once when it has.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED
 */
export async function waitForShim(
  attachSocket: string,
  { timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const socket = await connectShim(attachSocket, signal);
  if (!socket) return;
  try {
    socket.resume();
    const closed = endOf(socket);
    const ms = timeoutMs ?? Number.POSITIVE_INFINITY;
    await withDeadline(closed, { ms, signal, what: "a shim to end" });
  } finally {
    socket.destroy();
  }
}

/**
 * Waits until a shim that has just been started greets who connects: it has understood what it is to do.
 * @returns false: it has ended without a word
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED
 */
export async function waitForGreeting(
  attachSocket: string,
  { timeoutMs: ms, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const socket = await connectShim(attachSocket, signal);
  if (!socket) return false;
  try {
    const heard = new Promise<boolean>((resolve) => {
      socket.once("data", () => resolve(true));
      socket.once("close", () => resolve(false));
    });
    return await withDeadline(heard, { ms, signal, what: "a shim to be there" });
  } finally {
    socket.destroy();
  }
}

/** However it comes. */
function endOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

/** @returns undefined when there is none that lives */
async function connectShim(path: string, signal?: AbortSignal): Promise<Socket | undefined> {
  try {
    const socket = await connectSocket(path, signal);
    // Its end is all that matters here, not how it came.
    socket.on("error", () => {});
    return socket;
  } catch (error) {
    if (["ENOENT", "ECONNREFUSED", "ECONNRESET"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
