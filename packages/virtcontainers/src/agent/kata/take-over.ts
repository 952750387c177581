import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { TakeOver } from "@husk/wire/kata";
import { withDeadline } from "../../deadline.ts";
import { HuskError } from "../../errors/index.ts";

/** Milliseconds until the first repetition of the question. */
const FIRST_REPETITION_MS = 10;

/**
 * Makes sure that the session on a port is a new one.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_AGENT_DISCONNECTED
 */
export async function takeOver(
  socket: Socket,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const handshake = new TakeOver(randomBytes(TakeOver.NUMBER_BYTES));
  const answered = Promise.withResolvers<Uint8Array>();
  const onData = (chunk: Buffer) => {
    const rest = handshake.push(chunk);
    if (rest) answered.resolve(rest);
  };
  const onClose = () =>
    answered.reject(new HuskError("ERR_AGENT_DISCONNECTED", "the VM has closed the agent's channel"));
  let timer: NodeJS.Timeout | undefined;
  const ask = (againMs: number) => {
    socket.write(handshake.question);
    timer = setTimeout(() => ask(againMs * 2), againMs);
  };
  socket.on("data", onData);
  socket.once("close", onClose);
  socket.write(handshake.greeting);
  ask(FIRST_REPETITION_MS);
  let rest: Uint8Array;
  try {
    const { timeoutMs: ms, signal } = limits;
    rest = await withDeadline(answered.promise, { ms, signal, what: "a sign of life of the agent" });
  } finally {
    clearTimeout(timer);
    socket.pause();
    socket.off("data", onData);
    socket.off("close", onClose);
  }
  if (rest.length > 0) socket.unshift(Buffer.from(rest));
}
