import { PayloadError, parseListedPids } from "@husk/wire/hyperstart";
import { HuskError } from "../errors/index.ts";
import type { ProcessListFormat } from "../types/index.ts";
import { cleanText } from "../untrusted-text.ts";

/**
 * A list of processes as the guest gave it, made fit for a caller: pids and nothing else, or text that does not steer a
 * terminal.
 * @throws HuskError ERR_AGENT_PROTOCOL
 */
export function checkedList(format: ProcessListFormat, payload: Uint8Array): Uint8Array {
  if (format === "table") return Buffer.from(cleanText(Buffer.from(payload).toString()));
  try {
    return Buffer.from(JSON.stringify(parseListedPids(payload)));
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    const text = `the guest's list of processes is wrong: ${error.message}`;
    throw new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error });
  }
}
