import * as sys from "tiny:sys";
import { writeAll } from "@husk/tiny";

/** cc-proxy, with its arguments. */
export function runCcProxy(_args: readonly string[]): void {
  writeAll(2, sys.encodeUtf8("cc-proxy: not there yet\n"));
  sys.exit(1);
}
