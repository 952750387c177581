/** UTF-8: `TextEncoder` and `TextDecoder` as far as the protocols use them, as globals, so that shared code finds them. */
import { decodeUtf8, encodeUtf8 } from "tiny:sys";

class Utf8Encoder {
  readonly encoding = "utf-8";
  encode(text = ""): Uint8Array<ArrayBuffer> {
    return encodeUtf8(text);
  }
}

/** A byte order mark is left out, as everywhere else, unless it is asked for (`ignoreBOM`). */
function skipMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

class Utf8Decoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  constructor(_label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    this.fatal = options?.fatal ?? false;
    this.ignoreBOM = options?.ignoreBOM ?? false;
  }
  decode(bytes: Uint8Array = new Uint8Array()): string {
    return decodeUtf8(this.ignoreBOM ? bytes : skipMark(bytes), this.fatal);
  }
}

/** Puts the globals in place. The event loop does so when it is loaded. */
export function installText(): void {
  Object.assign(globalThis, { TextEncoder: Utf8Encoder, TextDecoder: Utf8Decoder });
}
