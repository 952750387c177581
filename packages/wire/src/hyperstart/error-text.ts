import { MAX_ERROR_TEXT_BYTES } from "./limits.ts";

/**
 * The text of an ERROR frame, fit for a terminal: cut to 1024 bytes, one line, nothing but printable characters.
 * `""` when the agent gave none. The C agent ends some of its texts with a NUL, which is left out.
 */
export function decodeErrorText(payload: Uint8Array): string {
  const text = new TextDecoder().decode(payload.subarray(0, MAX_ERROR_TEXT_BYTES));
  // Control and format characters could move a terminal's cursor or turn the text around.
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
