import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { NEW_HOST } from "@husk/wire/kata";
import { withDeadline } from "../../deadline.ts";
import { HuskError } from "../../errors/index.ts";

/**
 * Whoever takes the agent's port over may find the session of the owner before, even in the middle of a frame: the guest
 * need not have seen that it has gone. So the new owner says that it is new, in words that our own agent knows, ends
 * whatever session there is, and asks for a sign of life with a number that only it can have chosen. What comes before
 * the answer was for another.
 */

/** Frames of yamux without a stream: version 0, type, flags, stream 0, and what they tell. */
const PING = [0, 2, 0, 1, 0, 0, 0, 0];
const PONG = [0, 2, 0, 2, 0, 0, 0, 0];
/** GOAWAY with the reason "internal error": a session that is told this is over. */
const END_SESSION = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
const NUMBER_BYTES = 4;
const FRAME_BYTES = 12;
/** Milliseconds until the first repetition of the question; it may have been dropped with the session before. */
const FIRST_REPETITION_MS = 10;

/**
 * Makes sure that the session on a port is a new one.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_AGENT_DISCONNECTED
 */
export async function takeOver(
  socket: Socket,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const number = randomBytes(NUMBER_BYTES);
  const ping = Buffer.concat([Buffer.from(PING), number]);
  const pong = Buffer.concat([Buffer.from(PONG), number]);
  const answered = Promise.withResolvers<Buffer>();
  let kept: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    const at = bytes.indexOf(pong);
    if (at !== -1) answered.resolve(bytes.subarray(at + FRAME_BYTES));
    else kept = Buffer.from(bytes.subarray(Math.max(0, bytes.length - FRAME_BYTES + 1)));
  };
  const onClose = () =>
    answered.reject(new HuskError("ERR_AGENT_DISCONNECTED", "the VM has closed the agent's channel"));
  let timer: NodeJS.Timeout | undefined;
  const ask = (againMs: number) => {
    socket.write(ping);
    timer = setTimeout(() => ask(againMs * 2), againMs);
  };
  socket.on("data", onData);
  socket.once("close", onClose);
  socket.write(Buffer.concat([NEW_HOST, END_SESSION]));
  ask(FIRST_REPETITION_MS);
  let rest: Buffer;
  try {
    const { timeoutMs: ms, signal } = limits;
    rest = await withDeadline(answered.promise, { ms, signal, what: "a sign of life of the agent" });
  } finally {
    clearTimeout(timer);
    socket.pause();
    socket.off("data", onData);
    socket.off("close", onClose);
  }
  if (rest.length > 0) socket.unshift(rest);
}
