import * as sys from "tiny:sys";
import { CLOCK_REALTIME } from "@husk/tiny";
import { formatTime } from "./format-time.ts";

/** The time of day as in ISO 8601, UTC, to the millisecond. */
export function timeNow(): string {
  return formatTime(sys.clock(CLOCK_REALTIME));
}
