import * as sys from "tiny:sys";
import { writeAll } from "@husk/tiny";

/** cc-shim, with its arguments. */
export function runCcShim(_args: readonly string[]): void {
  writeAll(2, sys.encodeUtf8("cc-shim: not there yet\n"));
  sys.exit(1);
}
