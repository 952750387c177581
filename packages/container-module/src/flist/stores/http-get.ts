import { abortError, messageOf } from "@husk/virtcontainers/internals";
import { PassingError } from "./retry.ts";

/** Times that a server may send us on. */
const MAX_REDIRECTS = 5;
/** What a server says when it may be well the next time. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Limits of a download. */
export interface HttpLimits {
  readonly maxBytes: number;
  /** milliseconds from the first byte sent to the last received */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** whether a server may send us to that address */
  readonly mayFollow: (url: URL) => boolean;
}

/**
 * Downloads something, piece by piece.
 * @returns nothing at all when the server does not have it
 * @throws PassingError when another attempt may succeed, Error when not; HuskError ERR_ABORTED
 */
export async function* httpGet(url: URL, limits: HttpLimits): AsyncGenerator<Uint8Array, boolean> {
  const { signal, timeoutMs, maxBytes } = limits;
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    const response = await follow(url, limits, either);
    if (!response) return false;
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Error(`it gives more than ${maxBytes} bytes`);
      yield chunk;
    }
    return true;
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    if (deadline.aborted) throw new PassingError(`no answer within ${timeoutMs} ms`);
    // What fetch throws of a connection; the words are in its cause.
    if (error instanceof TypeError) throw new PassingError(messageOf(error.cause ?? error), { cause: error });
    throw error;
  }
}

/** The answer with the contents, after as many detours as are allowed. */
async function follow(url: URL, limits: HttpLimits, signal: AbortSignal): Promise<Response | undefined> {
  let from = url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await fetch(from, { redirect: "manual", signal });
    if (response.status === 200) return response;
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return undefined;
    if (PASSING_STATUS.has(response.status))
      throw new PassingError(`it answered with status ${response.status}`);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      throw new Error(`it answered with status ${response.status}`);
    }
    const next = new URL(location, from);
    if (!limits.mayFollow(next)) throw new Error(`it leads to ${next.origin}, which is not allowed`);
    from = next;
  }
  throw new Error(`it leads on more than ${MAX_REDIRECTS} times`);
}
