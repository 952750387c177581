import { PayloadError } from "../hyperstart/payload-error.ts";
import type { Reader } from "../hyperstart/payload-reader.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";

/** Random bytes in a token. */
export const TOKEN_BYTES = 32;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const TOKEN = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/;

/** Random bytes as a token: base64 of the alphabet for URLs, with padding. */
export function encodeToken(bytes: Uint8Array): string {
  let token = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let digit = 0; digit < 4; digit++) {
      const isPadding = at + digit > bytes.length;
      token += isPadding ? "=" : DIGITS[(group >>> (18 - 6 * digit)) & 63];
    }
  }
  return token;
}

/** Whether a text has a token's form, as a shim checks it: base64 of the alphabet for URLs, with padding. */
export function isToken(text: string): boolean {
  return text.length > 0 && text.length <= MAX_TOKEN_LENGTH && TOKEN.test(text);
}

/** A token. */
export const readToken: Reader<string> = (value, path) => {
  if (typeof value === "string" && isToken(value)) return value;
  throw new PayloadError(path, "must be a token in base64 for URLs");
};
