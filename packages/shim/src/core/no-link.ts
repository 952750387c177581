import type { ProcessLink } from "./process-link.ts";

/** Stands for a link that is not made yet. */
export function noLink(): ProcessLink {
  throw new Error("not there yet");
}
