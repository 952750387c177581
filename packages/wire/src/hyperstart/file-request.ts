import { readContainerId } from "./identifiers.ts";
import { MAX_PATH_BYTES } from "./limits.ts";
import { PayloadError } from "./payload-error.ts";
import type { JsonObject } from "./payload-reader.ts";
import { nonEmpty, readPayload, required, text } from "./payload-reader.ts";

/** Payload of READFILE: `{"container": string, "file": string}`. */
export interface FileRequest {
  /** container in whose mount namespace the file is */
  container: string;
  /** absolute path of the file */
  file: string;
}

/**
 * Payload of WRITEFILE: a {@link FileRequest} directly followed by the file's bytes. The C agent ends the JSON at its
 * first `}` byte; ours reads it as JSON, so that a name may hold one.
 */
export interface WriteFile extends FileRequest {
  /** all that the file is to hold; a part of the payload, not a copy */
  data: Uint8Array;
}

/** Longest JSON before the data: a path of which every byte is escaped, and the rest. */
const MAX_HEAD_BYTES = 6 * MAX_PATH_BYTES + 1024;

const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];

/** The payload of READFILE. @throws PayloadError */
export function parseReadFile(payload: Uint8Array): FileRequest {
  return readFileRequest(readPayload(payload, MAX_HEAD_BYTES));
}

/** The payload of WRITEFILE. @throws PayloadError */
export function parseWriteFile(payload: Uint8Array): WriteFile {
  const end = endOfObject(payload);
  const request = readFileRequest(readPayload(payload.subarray(0, end), MAX_HEAD_BYTES));
  return { ...request, data: payload.subarray(end) };
}

/** A payload of WRITEFILE, with which the C agent can do as well when neither name holds a `}`. */
export function encodeWriteFile(container: string, file: string, data: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify({ container, file }));
  const payload = new Uint8Array(head.length + data.length);
  payload.set(head);
  payload.set(data, head.length);
  return payload;
}

function readFileRequest(from: JsonObject): FileRequest {
  return {
    container: required(from, "", "container", readContainerId),
    file: required(from, "", "file", nonEmpty(text(MAX_PATH_BYTES))),
  };
}

/** Where the first object ends. Only strings and braces count; whether it is JSON is seen when it is parsed. */
function endOfObject(bytes: Uint8Array): number {
  let depth = 0;
  let inString = false;
  const limit = Math.min(bytes.length, MAX_HEAD_BYTES);
  for (let at = 0; at < limit; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth <= 0) return at + 1;
  }
  throw new PayloadError("", "the payload does not begin with a JSON object");
}
