import { PayloadError } from "./payload-error.ts";
import { integer, type Reader, readPayload, required } from "./payload-reader.ts";

/**
 * Host → guest, JSON {@link Renewal}: this VM began as a copy of another one. Ours alone: no other agent has it, and none of
 * the dialects uses the number, which spells "husk".
 */
export const RENEW = 0x6875_736b;

/**
 * Host → guest: ends the pod as DESTROYPOD does, but the machine stays on, and takes another STARTPOD. Ours alone, as RENEW.
 */
export const CLEARPOD = 0x6875_736c;

/** Payload of RENEW: `{"seconds": int, "nanoseconds": int, "random": hex}`. What copies of a VM must not have in common. */
export interface Renewal {
  /** the time: whole seconds since 1970 */
  seconds: number;
  /** and nanoseconds beyond them */
  nanoseconds: number;
  /** random bytes for the kernel's generator, two hexadecimal digits each */
  random: string;
}

/** Least random bytes: what the kernel's generator holds. */
const MIN_RANDOM_BYTES = 32;
/** Most of them. */
const MAX_RANDOM_BYTES = 4096;
const MAX_PAYLOAD_BYTES = 2 * MAX_RANDOM_BYTES + 256;
/** Seconds since 1970 that the kernel's clock can tell, from 1970 to 2232. */
const MAX_SECONDS = 8_277_292_036;
const MAX_NANOSECONDS = 999_999_999;

const readSeconds = integer(0, MAX_SECONDS);
const readNanoseconds = integer(0, MAX_NANOSECONDS);

const readRandom: Reader<string> = (value, path) => {
  if (typeof value === "string" && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value)) {
    const bytes = value.length / 2;
    if (bytes >= MIN_RANDOM_BYTES && bytes <= MAX_RANDOM_BYTES) return value;
  }
  throw new PayloadError(
    path,
    `must be ${MIN_RANDOM_BYTES} to ${MAX_RANDOM_BYTES} bytes, as hexadecimal digits`,
  );
};

/** Parses the payload of RENEW. Throws PayloadError. */
export function parseRenewal(payload: Uint8Array): Renewal {
  const request = readPayload(payload, MAX_PAYLOAD_BYTES);
  return {
    seconds: required(request, "", "seconds", readSeconds),
    nanoseconds: required(request, "", "nanoseconds", readNanoseconds),
    random: required(request, "", "random", readRandom),
  };
}
