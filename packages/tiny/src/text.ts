/** UTF-8: `TextEncoder` and `TextDecoder` as far as the protocols use them, as globals, so that shared code finds them. */
import { decodeUtf8, encodeUtf8 } from "tiny:sys";

class Utf8Encoder {
  readonly encoding = "utf-8";
  encode(text = ""): Uint8Array<ArrayBuffer> {
    return encodeUtf8(text);
  }
}

class Utf8Decoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  constructor(_label?: string, options?: { fatal?: boolean }) {
    this.fatal = options?.fatal ?? false;
  }
  decode(bytes: Uint8Array = new Uint8Array()): string {
    const text = decodeUtf8(bytes);
    // The engine puts U+FFFD in the place of what is not UTF-8; a strict decoder must tell that from a real one.
    if (this.fatal && text.includes("\ufffd") && encodeUtf8(text).length !== bytes.length) {
      throw new TypeError("the bytes are not UTF-8");
    }
    return text;
  }
}

/** Puts the globals in place. The event loop does so when it is loaded. */
export function installText(): void {
  Object.assign(globalThis, { TextEncoder: Utf8Encoder, TextDecoder: Utf8Decoder });
}
