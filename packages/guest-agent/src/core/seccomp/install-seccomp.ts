/** Putting a filter in force. */

import * as sys from "tiny:sys";
import { errorText } from "@husk/tiny";
import type { SeccompFilter } from "./compile-seccomp.ts";

/**
 * In a child: has the kernel ask the filter about every system call from here on. It needs CAP_SYS_ADMIN or
 * no-new-privileges, and what is done afterwards is asked about, too.
 */
export function installSeccomp({ flags, instructions }: SeccompFilter): void {
  try {
    sys.seccomp(flags, instructions);
  } catch (error) {
    throw new Error(`cannot install the seccomp filter: ${errorText(error)}`);
  }
}
