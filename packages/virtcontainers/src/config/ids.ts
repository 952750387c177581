import { HuskError } from "../errors/index.ts";

/** What a pod or container id looks like: it is a path component and goes to the guest. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** @throws HuskError ERR_ID_INVALID */
export function checkId(kind: "pod" | "container", id: unknown): asserts id is string {
  if (typeof id === "string" && ID_PATTERN.test(id)) return;
  const shown = typeof id === "string" ? JSON.stringify(id.slice(0, 80)) : `a value of type ${typeof id}`;
  throw new HuskError("ERR_ID_INVALID", `${shown} is not a valid ${kind} id`);
}
