import { hostCommandName } from "@husk/wire/hyperstart";
import { cleanText } from "../../untrusted-text.ts";

/** The words of an ERROR reply, made fit for a message: the guest is not trusted. */
export function replyText(command: number, payload: Uint8Array): string {
  const words = cleanText(Buffer.from(payload.subarray(0, 500)).toString("utf8")).trim();
  const name = hostCommandName(command);
  return words ? `the agent refused ${name}: ${words}` : `the agent refused ${name} without a reason`;
}
