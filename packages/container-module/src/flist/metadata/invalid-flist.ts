import { HuskError } from "@husk/virtcontainers";

/** Makes the error for what no flist may hold; which file it is, is added by who knows it. */
export function invalidFlist(why: string, cause?: unknown): HuskError {
  return new HuskError("ERR_FLIST_INVALID", why, { cause });
}

/** Text of an flist, fit for an error: quoted and short. */
export function quoteShort(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
