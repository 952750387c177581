import * as sys from "tiny:sys";
import { MAX_SHIM_TEXT_BYTES } from "@husk/wire/module-shim";

/** Most UTF-8 bytes of a UTF-16 unit. */
const BYTES_PER_UNIT = 3;

/** A text for people as it may stand in the files and frames: valid, without NUL, not too long. */
export function boundText(text: string): string {
  const short = text.slice(0, Math.floor(MAX_SHIM_TEXT_BYTES / BYTES_PER_UNIT));
  return sys.decodeUtf8(sys.encodeUtf8(short)).replaceAll("\0", "").trim();
}
