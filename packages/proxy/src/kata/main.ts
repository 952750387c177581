import * as sys from "tiny:sys";
import { writeAll } from "@husk/tiny";

/** kata-proxy, with its arguments. */
export function runKataProxy(_args: readonly string[]): void {
  writeAll(2, sys.encodeUtf8("kata-proxy: not there yet\n"));
  sys.exit(1);
}
