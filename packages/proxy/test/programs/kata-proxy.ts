/** kata-proxy alone, as it is in the binary of all residents. */
import * as sys from "tiny:sys";
import { runKataProxy } from "../../src/kata/main.ts";

runKataProxy(sys.argv.slice(1));
