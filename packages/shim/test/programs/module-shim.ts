/** The shim of the container module as a program of its own: `module-shim PLAN`. */
import * as sys from "tiny:sys";
import { runModuleShim } from "../../src/module/main.ts";

runModuleShim(sys.argv.slice(1));
