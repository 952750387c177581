import * as sys from "tiny:sys";
import { CLOCK_REALTIME, formatTime } from "@husk/tiny";

/** The time of day as in ISO 8601, UTC, to the millisecond. */
export function timeNow(): string {
  return formatTime(sys.clock(CLOCK_REALTIME));
}
