import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";

/** Longest piece of a specification in a text. */
const SHOWN = 200;

/** What is wrong with a specification, as the host is told. */
export function specFault(problem: string): TtrpcError {
  return new TtrpcError(StatusCode.INVALID_ARGUMENT, problem);
}

/** A text of a specification, in quotes, for a text about it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/** Runs a check, whose errors are about the specification. @throws TtrpcError INVALID_ARGUMENT */
export function checked<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof TtrpcError) throw error;
    throw specFault(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Checks that a text can be given to the kernel. */
export function checkText(what: string, text: string): string {
  if (text.includes("\0")) throw specFault(`${what} has a NUL byte: ${quote(text)}`);
  return text;
}

/** Checks that a text is an absolute path. */
export function checkPath(what: string, path: string): string {
  if (!path.startsWith("/")) throw specFault(`${what} must be an absolute path, not ${quote(path)}`);
  return checkText(what, path);
}
