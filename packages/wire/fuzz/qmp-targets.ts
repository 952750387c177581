import assert from "node:assert/strict";
import { QmpDecoder, QmpProtocolError } from "../src/qmp/index.ts";
import { decodeBothWays } from "./decode.ts";
import { mutateBytes, mutateJson } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./run.ts";

/** Bound for the decoder, low enough for changed seeds to pass it. */
const MAX_MESSAGE_BYTES = 400;

function tryBytes(bytes: Uint8Array, random: Random): void {
  const makeDecoder = () => new QmpDecoder({ maxMessageBytes: MAX_MESSAGE_BYTES });
  const { messages } = decodeBothWays(
    bytes,
    makeDecoder,
    (error) => (error instanceof QmpProtocolError ? { code: error.code, before: error.messages } : undefined),
    MAX_MESSAGE_BYTES,
    random,
  );
  for (const { kind } of messages) assert.match(kind, /^(greeting|return|error|event)$/);
}

/** What must hold for all that a QEMU taken over by its guest may say. */
export const qmpTargets: readonly Target[] = [
  { name: "qmp bytes", seeds: "qmp", tryOne: (seed, random) => tryBytes(mutateBytes(seed, random), random) },
  {
    name: "qmp values",
    seeds: "qmp",
    tryOne(seed, random) {
      const lines = Buffer.from(seed).toString().trimEnd().split("\n");
      const at = random.next(lines.length);
      lines[at] = JSON.stringify(mutateJson(JSON.parse(lines[at] ?? ""), random));
      tryBytes(Buffer.from(`${lines.join("\n")}\n`), random);
    },
  },
];
