/** Three pings of yamux, with numbers that spell words. */
const WORDS = ["husk", "take", "over"] as const;
const PING = [0, 2, 0, 1, 0, 0, 0, 0] as const;

/**
 * What a host sends first on the agent's serial port. The guest's kernel does not always tell that a host has gone when
 * another comes at once; by these bytes, at the beginning of a buffer from the port, our agent knows, even in the middle
 * of a frame. To any other yamux they are three pings.
 */
export const NEW_HOST: Uint8Array = Uint8Array.from(
  WORDS.flatMap((word) => [...PING, ...Array.from(word, (letter) => letter.charCodeAt(0))]),
);

/** Whether bytes begin with {@link NEW_HOST}. */
export function startsWithNewHost(bytes: Uint8Array): boolean {
  return bytes.length >= NEW_HOST.length && NEW_HOST.every((byte, at) => bytes[at] === byte);
}
