import { readContainerId, readProcessId } from "./identifiers.ts";
import { MAX_EVENT_BYTES } from "./limits.ts";
import { PayloadError } from "./payload-error.ts";
import type { Reader } from "./payload-reader.ts";
import { integer, readPayload, required } from "./payload-reader.ts";

/**
 * Payload of PROCESSASYNCEVENT: `{"container":"…","process":"…","event":"finished","status":0..255}`, in this
 * order. It may overtake the process's last output, which comes on the other channel: a process is done when
 * both its end-of-output frame and this have come.
 */
export interface ProcessAsyncEvent {
  /** container of the process */
  container: string;
  /** process that ended */
  process: string;
  /** what happened; there is no other event */
  event: "finished";
  /** exit status, 128 + signal for a process ended by a signal */
  status: number;
}

/** The payload of PROCESSASYNCEVENT, as it goes into a frame. */
export function encodeProcessAsyncEvent(container: string, process: string, status: number): string {
  const event: ProcessAsyncEvent = { container, process, event: "finished", status };
  return JSON.stringify(event);
}

/** The payload of PROCESSASYNCEVENT; the guest may be hostile. @throws PayloadError */
export function parseProcessAsyncEvent(payload: Uint8Array): ProcessAsyncEvent {
  const from = readPayload(payload, MAX_EVENT_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    process: required(from, "", "process", readProcessId),
    event: required(from, "", "event", readEvent),
    status: required(from, "", "status", integer(0, 255)),
  };
}

const readEvent: Reader<"finished"> = (value, path) => {
  if (value === "finished") return value;
  throw new PayloadError(path, 'must be "finished"');
};
