/** cc-proxy as a program of its own. */

import * as sys from "tiny:sys";
import { runCcProxy } from "../../src/index.ts";

runCcProxy(sys.argv.slice(1));
