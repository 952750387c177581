import { ERROR_CATALOGUE, type ErrorCode, HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";
import type { WireError } from "./messages.ts";

/** Code of an error that is none of the library's: a bug, or a system that it did not expect. */
const INTERNAL = "ERR_INTERNAL";

/** An error as clients are told it. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof HuskError)) return { code: INTERNAL, message: messageOf(error) };
  const { code, message, hint, containerId } = error;
  return { code, message, hint, containerId };
}

/** The error that a service has told. */
export function fromWireError({ code, message, hint, containerId }: WireError): Error {
  if (isKnownCode(code)) return new HuskError(code, message, { hint, containerId });
  return new Error(code === INTERNAL ? message : `${message} [${code}]`);
}

function isKnownCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, code);
}
