/** cc-proxy as a program of its own. */

import * as sys from "tiny:sys";
import { runCcProxy } from "../../src/cc/main.ts";

runCcProxy(sys.argv.slice(1));
