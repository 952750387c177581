import { HuskError } from "@husk/virtcontainers";

/** Makes the error for what no image may hold. */
export function invalidImage(why: string, cause?: unknown): HuskError {
  return new HuskError("ERR_IMAGE_INVALID", why, { cause });
}
