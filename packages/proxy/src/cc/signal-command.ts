/** Signal: to the process of the shim that asks. */

import { SIGKILL, SIGTERM } from "@husk/tiny";
import { parseShimSignal, type ShimSignal, SIGWINCH } from "@husk/wire/cc-proxy";
import { Command, decodeErrorText } from "@husk/wire/hyperstart";
import type { Answer, Client } from "./client.ts";
import type { Pod } from "./pod.ts";
import type { Session } from "./session.ts";

/** Milliseconds that a process may take to be started before a signal for it is given up. */
const START_MS = 30_000;

/** Sends it. @throws Error with a text for the client */
export async function sendSignal(pod: Pod, client: Client, payload: Uint8Array): Promise<Answer> {
  const signal = parseShimSignal(payload);
  const { session } = client;
  if (!session) throw new Error("a signal from a client that is no shim");
  if (session.phase === "allocated" && [SIGKILL, SIGTERM].includes(signal.signalNumber)) {
    client.sendExit(0);
    return undefined;
  }
  if (session.phase !== "started" && !(await session.wasStarted.wait(START_MS, client)))
    throw new Error("the process is not started");
  const [command, request] = requestFor(session, signal);
  const reply = await pod.request(command, JSON.stringify(request));
  if (!reply.ok) throw new Error(decodeErrorText(reply.payload) || "the agent refused the signal");
  return undefined;
}

/** A process without an id is known by its streams; of those, only a container's first can be signalled. */
function requestFor(session: Session, signal: ShimSignal): [command: number, request: object] {
  const { signalNumber, rows: row, columns: column } = signal;
  const { container = "", id, isFirst } = session.process ?? {};
  const process = { container, process: id };
  if (signalNumber === SIGWINCH)
    return [
      Command.WINSIZE,
      id === undefined ? { seq: session.stdio, row, column } : { ...process, row, column },
    ];
  if (id !== undefined) return [Command.SIGNALPROCESS, { ...process, signal: signalNumber }];
  if (isFirst) return [Command.KILLCONTAINER, { container, signal: signalNumber }];
  throw new Error("signals are not supported for a process without an id that is not its container's first");
}
