import { AttachEventDecoder, AttachProtocolError, AttachRequestDecoder } from "../src/attach/index.ts";
import { type Decoder, decodeBothWays } from "./decode.ts";
import { mutateBytes } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./run.ts";

/** Bytes that a decoder may hold: the longest frame. */
const MAX_FRAME_BYTES = 64 * 1024 + 8;

/** Tries bytes with a decoder of frames like those of the attach protocol. */
export function tryBytes<Message>(
  makeDecoder: () => Decoder<Message>,
  bytes: Uint8Array,
  random: Random,
): void {
  const readError = (error: unknown) =>
    error instanceof AttachProtocolError
      ? { code: error.message, before: error.messages as readonly Message[] }
      : undefined;
  decodeBothWays(bytes, makeDecoder, readError, MAX_FRAME_BYTES, random);
}

/** What must hold for all that who attaches may send, and a shim that is not ours. */
export const attachTargets: readonly Target[] = [
  {
    name: "attach requests",
    seeds: "attach-requests",
    tryOne: (seed, random) => tryBytes(() => new AttachRequestDecoder(), mutateBytes(seed, random), random),
  },
  {
    name: "attach events",
    seeds: "attach-events",
    tryOne: (seed, random) => tryBytes(() => new AttachEventDecoder(), mutateBytes(seed, random), random),
  },
];
