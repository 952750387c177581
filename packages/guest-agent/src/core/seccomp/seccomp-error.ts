/** Thrown for a profile that cannot be a filter: the fault is the request's. */
export class SeccompError extends Error {
  override readonly name = "SeccompError";
}
