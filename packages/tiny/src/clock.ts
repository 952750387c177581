import * as sys from "tiny:sys";
import { CLOCK_REALTIME } from "./constants.ts";
import { formatTime } from "./time-text.ts";

/** The time of day in UTC as in ISO 8601, to the millisecond. */
export function timeNow(): string {
  return formatTime(sys.clock(CLOCK_REALTIME));
}
