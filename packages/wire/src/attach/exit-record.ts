import { PayloadError } from "../hyperstart/payload-error.ts";
import { integer, type JsonObject, line, readPayload, required, text } from "../hyperstart/payload-reader.ts";
import { MAX_ATTACH_JSON_BYTES } from "./limits.ts";

/** Longest reason for which a process was lost, in bytes. */
const MAX_REASON_BYTES = 4096;

/** How a process ended, as it stands in a container's exit.json and in the last frame of an attached client. */
export type ExitRecord =
  /** `exitCode`: its exit code, or 128 + the signal that ended it; `time`: when, in ISO 8601, UTC */
  | { exitCode: number; time: string }
  /** `lost`: why nobody knows how it ended */
  | { lost: string; time: string };

/** The JSON of an exit record. */
export function encodeExitRecord(record: ExitRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** Reads an exit record. @throws PayloadError when it is none */
export function parseExitRecord(bytes: Uint8Array): ExitRecord {
  return readExitRecord(readPayload(bytes, MAX_ATTACH_JSON_BYTES));
}

function readExitRecord(object: JsonObject): ExitRecord {
  const time = required(object, "", "time", line(64));
  if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(time))
    throw new PayloadError("time", "must be a time in ISO 8601, UTC");
  return "lost" in object
    ? { lost: required(object, "", "lost", text(MAX_REASON_BYTES)), time }
    : { exitCode: required(object, "", "exitCode", integer(0, 255)), time };
}
