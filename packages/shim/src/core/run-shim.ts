import * as sys from "tiny:sys";
import { errorText, onUncaught, run } from "@husk/tiny";
import { COULD_NOT_BEGIN, LOST, Shim, type ShimKind } from "./shim.ts";
import type { ShimOptions } from "./shim-options.ts";

/** Is a process of a container on the host, until it ends: its streams, its signals, its exit status. Never returns. */
export function runShim(options: ShimOptions, kind: ShimKind): void {
  const shim = new Shim(options, kind);
  onUncaught((error) => {
    const stack = error instanceof Error ? `\n${error.stack}` : "";
    shim.leave(LOST, `${errorText(error)}${stack}`);
  });
  try {
    shim.start();
  } catch (error) {
    shim.leave(COULD_NOT_BEGIN, errorText(error));
  }
  run();
  sys.exit(LOST);
}
