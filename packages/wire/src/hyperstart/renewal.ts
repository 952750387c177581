import { PayloadError } from "./payload-error.ts";

/**
 * Host → guest, a {@link Renewal}: this VM began as a copy of another one. Ours alone: no other agent has it, and none of the
 * dialects uses the number, the letters "husk".
 */
export const RENEW = 0x6875_736b;

/** What a copy of a VM must not have in common with the others. */
export interface Renewal {
  /** the time: whole seconds since 1970 */
  readonly seconds: number;
  /** and nanoseconds beyond them */
  readonly nanoseconds: number;
  /** random bytes for the kernel's generator */
  readonly random: Uint8Array;
}

/** Least random bytes: what the kernel's generator holds. */
const MIN_RANDOM_BYTES = 32;
/** Most of them. */
const MAX_RANDOM_BYTES = 4096;
const HEAD_BYTES = 12;
const WORD = 2 ** 32;
const NANOSECONDS = 1_000_000_000;

/** Payload of RENEW: seconds u64, nanoseconds u32, both big endian; then the random bytes. */
export function encodeRenewal({ seconds, nanoseconds, random }: Renewal): Uint8Array {
  const payload = new Uint8Array(HEAD_BYTES + random.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, Math.floor(seconds / WORD));
  view.setUint32(4, seconds % WORD);
  view.setUint32(8, nanoseconds);
  payload.set(random, HEAD_BYTES);
  return payload;
}

/** @throws PayloadError */
export function parseRenewal(payload: Uint8Array): Renewal {
  const length = payload.length - HEAD_BYTES;
  if (length < MIN_RANDOM_BYTES || length > MAX_RANDOM_BYTES)
    throw new PayloadError("", `RENEW needs ${MIN_RANDOM_BYTES} to ${MAX_RANDOM_BYTES} random bytes`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const seconds = view.getUint32(0) * WORD + view.getUint32(4);
  const nanoseconds = view.getUint32(8);
  if (!Number.isSafeInteger(seconds) || nanoseconds >= NANOSECONDS)
    throw new PayloadError("", `RENEW: ${seconds} s and ${nanoseconds} ns are no time`);
  return { seconds, nanoseconds, random: payload.subarray(HEAD_BYTES) };
}
