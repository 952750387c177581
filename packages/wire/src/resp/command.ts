const encoder = new TextEncoder();

/** Encodes a command of the Redis protocol (RESP 2): an array of strings of bytes. */
export function encodeRespCommand(words: readonly (string | Uint8Array)[]): Uint8Array {
  const pieces: Uint8Array[] = [encoder.encode(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? encoder.encode(word) : word;
    pieces.push(encoder.encode(`$${bytes.length}\r\n`), bytes, encoder.encode("\r\n"));
  }
  const command = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    command.set(piece, at);
    at += piece.length;
  }
  return command;
}
