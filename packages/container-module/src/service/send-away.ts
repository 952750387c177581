import type { Socket } from "node:net";
import type { HuskError } from "@husk/virtcontainers";
import { encodeServiceMessage } from "./messages.ts";
import { toWireError } from "./wire-error.ts";

/** How long a client that is sent away may take to read why, in milliseconds. */
const LAST_WORDS_MS = 1000;

/** Tells a client why its connection ends, and ends it. What it says meanwhile must be read by the caller: else its kernel drops that. */
export function sendAway(socket: Socket, why: HuskError): void {
  if (socket.writable)
    socket.end(encodeServiceMessage({ kind: "error", id: undefined, error: toWireError(why) }));
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once("close", () => clearTimeout(timer));
}
