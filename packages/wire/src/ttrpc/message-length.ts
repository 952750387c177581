import { HEADER_BYTES, MAX_MESSAGE_BYTES } from "./limits.ts";
import { StatusCode, TtrpcError } from "./status.ts";

/**
 * Refuses a whole message, header included, that no peer takes.
 *
 * @param tailBytes bytes of it that come behind
 * @throws TtrpcError RESOURCE_EXHAUSTED
 */
export function checkLength(message: Uint8Array, what: string, tailBytes = 0): void {
  const length = message.length - HEADER_BYTES + tailBytes;
  if (length <= MAX_MESSAGE_BYTES) return;
  throw new TtrpcError(
    StatusCode.RESOURCE_EXHAUSTED,
    `${what} has ${length} bytes, more than ${MAX_MESSAGE_BYTES}`,
  );
}
