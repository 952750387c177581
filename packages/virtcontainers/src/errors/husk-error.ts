import { ERROR_CATALOGUE, type ErrorCode } from "./catalogue.ts";

/** Facts that go with an error. */
export interface ErrorDetails {
  /** What to do; default: the catalogue's hint. */
  readonly hint?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** The pod concerned. */
  readonly podId?: string | undefined;
  /** The container concerned. */
  readonly containerId?: string | undefined;
}

/** What every copy of this library marks its errors with. */
const MARK = Symbol.for("husk.HuskError");

/** The one error class of the library: a stable code, words for the user, and what to do about it. */
export class HuskError extends Error {
  override readonly name = "HuskError";
  readonly [MARK] = true;
  /** The stable code, a key of `ERROR_CATALOGUE`. */
  readonly code: ErrorCode;
  /** What the user can do about it. */
  readonly hint: string;
  /** The pod concerned. */
  readonly podId: string | undefined;
  /** The container concerned. */
  readonly containerId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint ?? ERROR_CATALOGUE[code].hint;
    this.podId = details.podId;
    this.containerId = details.containerId;
  }

  /** An error of another copy of this library is one, too: the command line's two files have one each. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && MARK in value;
  }

  /** Exit status of the command line for this error. */
  get exitCode(): number {
    return ERROR_CATALOGUE[this.code].exitCode;
  }

  toJSON(): Record<string, unknown> {
    const { code, message, hint, podId, containerId } = this;
    return { code, message, hint, podId, containerId };
  }
}

/** Whether `error` is a HuskError, of the given code if one is given. */
export function isHuskError(error: unknown, code?: ErrorCode): error is HuskError {
  return error instanceof HuskError && (code === undefined || error.code === code);
}

/** The system's code (`ENOENT`…) of an error of Node's, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The words of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
