/** A guest that began as a copy of another one becomes one of its own. */

import * as sys from "tiny:sys";
import { CLOCK_REALTIME } from "@husk/tiny";
import { reseed } from "./random-device.ts";

/** Sets the clock and feeds the kernel's random numbers, before anything asks for either. */
export function renewGuest(seconds: number, nanoseconds: number, random: Uint8Array): void {
  reseed(random);
  sys.setClock(CLOCK_REALTIME, seconds, nanoseconds);
}
