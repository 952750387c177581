import { readContainerId } from "./identifiers.ts";
import { MAX_LISTED_PROCESSES, MAX_NAME_BYTES, MAX_REQUEST_BYTES } from "./limits.ts";
import { PayloadError } from "./payload-error.ts";
import type { Reader } from "./payload-reader.ts";
import { integer, line, listOf, readPayload, required, withDefault } from "./payload-reader.ts";

/** Payload of PSCONTAINER: `{"container": string, "format": "json"|"table", "psargs": [string]}`. */
export interface ProcessList {
  /** container whose processes are asked for */
  container: string;
  /** `"json"`: an array of pids; `"table"`: a table as ps writes it */
  format: "json" | "table";
  /** options of ps for the table; none stands for `-ef` */
  psargs: string[];
}

/** The payload of PSCONTAINER; without format it is a table, as ps writes. @throws PayloadError */
export function parseProcessList(payload: Uint8Array): ProcessList {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    format: withDefault(from, "", "format", readFormat, "table"),
    psargs: withDefault(from, "", "psargs", listOf(line(MAX_NAME_BYTES)), []),
  };
}

/** The pids in the ACK to a PSCONTAINER in `json`; the guest may be hostile. @throws PayloadError */
export function parseListedPids(payload: Uint8Array): number[] {
  // A pid of Linux has at most seven digits.
  if (payload.length > MAX_LISTED_PROCESSES * 8 + 2)
    throw new PayloadError("", "the list of pids is too long");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw new PayloadError("", "the list of pids is not JSON");
  }
  return listOf(integer(1, 4194304))(value, "pids");
}

const readFormat: Reader<"json" | "table"> = (value, path) => {
  if (value === "json" || value === "table") return value;
  // Hosts leave it empty when their caller did not choose.
  if (value === "") return "table";
  throw new PayloadError(path, 'must be "json" or "table"');
};
