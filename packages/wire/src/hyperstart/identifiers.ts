import { PayloadError } from "./payload-error.ts";
import type { Reader } from "./payload-reader.ts";

/** What an id of a container may look like: it becomes a path component on both sides. */
const CONTAINER_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** What an id of a process may look like: printable ASCII, as it only ever is a key and a JSON string. */
const PROCESS_ID = /^[ -~]{1,128}$/;

/** An id of a container. */
export const readContainerId: Reader<string> = (value, path) => {
  if (typeof value === "string" && CONTAINER_ID.test(value)) return value;
  throw new PayloadError(path, "must be 1 to 64 letters, digits, '_', '.' or '-', not starting with a sign");
};

/** An id of a process. */
export const readProcessId: Reader<string> = (value, path) => {
  if (typeof value === "string" && PROCESS_ID.test(value)) return value;
  throw new PayloadError(path, "must be 1 to 128 printable ASCII characters");
};
