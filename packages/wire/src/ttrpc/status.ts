/** How a call ended: gRPC's numbers. */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

const NAMES: readonly string[] = Object.keys(StatusCode);

/** The name of a code; of one that has none, its number. */
export function statusName(code: number): string {
  return NAMES[code] ?? `status ${code}`;
}

/** How a call ended, and what is to be said about it. */
export interface Status {
  /** {@link StatusCode}, maybe an unknown one */
  code: number;
  /** text for people; empty when all went well */
  message: string;
}

/**
 * A call that failed. A handler throws it to choose the status; a client's call rejects with it.
 */
export class TtrpcError extends Error {
  override readonly name = "TtrpcError";
  /** {@link StatusCode}, never OK */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message || statusName(code));
    this.code = code;
  }
}

/** What a handler's failure is for the client: what a {@link TtrpcError} says, or UNKNOWN with the error's text. */
export function statusOf(error: unknown): Status {
  if (error instanceof TtrpcError && error.code !== StatusCode.OK) {
    return { code: error.code, message: error.message };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { code: StatusCode.UNKNOWN, message: text || "an error without a text" };
}
