import assert from "node:assert/strict";
import type { ControlFrame, StreamFrame } from "../src/hyperstart/index.ts";
import {
  ControlDecoder,
  encodeControl,
  encodeStream,
  FrameError,
  PayloadError,
  parseExecCommand,
  parseInterface,
  parseKillContainer,
  parseNewContainer,
  parsePod,
  parseProcessAsyncEvent,
  parseProcessList,
  parseReadFile,
  parseRemoveContainer,
  parseSignalProcess,
  parseWindowSize,
  StreamDecoder,
  StreamPieces,
  StreamSalvage,
} from "../src/hyperstart/index.ts";
import { decodeBothWays } from "./decode.ts";
import { cutRandomly, mutateBytes, mutateJson } from "./mutate.ts";
import type { Target } from "./run.ts";

/** Bound for the decoders, low enough for changed seeds to pass it. */
const MAX_FRAME_BYTES = 300;

const parsers: readonly ((payload: Uint8Array) => object)[] = [
  parsePod,
  parseNewContainer,
  parseExecCommand,
  parseKillContainer,
  parseSignalProcess,
  parseWindowSize,
  parseRemoveContainer,
  parseInterface,
  parseReadFile,
  parseProcessList,
  parseProcessAsyncEvent,
];

function readError<Frame>(error: unknown): { code: string; before: readonly Frame[] } | undefined {
  return error instanceof FrameError ? { code: error.code, before: error.frames } : undefined;
}

/** Frames written again must be the bytes they were read from. */
function assertPrefix(parts: readonly Uint8Array[], bytes: Uint8Array): void {
  const written = Buffer.concat(parts);
  assert.deepEqual(written, Buffer.from(bytes.subarray(0, written.length)));
}

/** Either a value that parses to itself again, or a PayloadError. */
function tryParse(parse: (payload: Uint8Array) => object, payload: Uint8Array): void {
  let parsed: object;
  try {
    parsed = parse(payload);
  } catch (error) {
    if (error instanceof PayloadError) return;
    throw error;
  }
  assert.deepEqual(parse(Buffer.from(JSON.stringify(parsed))), parsed);
}

/** What comes of bytes that are taken as they come: pieces of one frame behind one another, an end as nothing. */
function readPieces(pieces: readonly Uint8Array[]): string[] {
  const log: string[] = [];
  const decoder = new StreamPieces((seq, data) => {
    const start = `${seq}: `;
    const digits = Buffer.from(data).toString("hex");
    const last = log.at(-1);
    if (digits !== "" && last !== start && last?.startsWith(start)) log[log.length - 1] = last + digits;
    else log.push(start + digits);
  });
  try {
    for (const piece of pieces) decoder.push(piece);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    log.push(error.code);
  }
  return log;
}

/** What must hold for all that a host or a guest may send. */
export const hyperstartTargets: readonly Target[] = [
  {
    name: "control",
    seeds: "control",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      const makeDecoder = () => new ControlDecoder({ maxFrameBytes: MAX_FRAME_BYTES });
      const { messages } = decodeBothWays<ControlFrame>(
        bytes,
        makeDecoder,
        readError,
        MAX_FRAME_BYTES,
        random,
      );
      assertPrefix(
        messages.map((frame) => encodeControl(frame.command, frame.payload)),
        bytes,
      );
    },
  },
  {
    name: "stream",
    seeds: "stream",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      const decoders: StreamDecoder[] = [];
      const makeDecoder = () => {
        const decoder = new StreamDecoder({ maxFrameBytes: MAX_FRAME_BYTES });
        decoders.push(decoder);
        return decoder;
      };
      const { messages } = decodeBothWays<StreamFrame>(
        bytes,
        makeDecoder,
        readError,
        MAX_FRAME_BYTES,
        random,
      );
      const [whole, pieces] = decoders;
      assert.equal(whole?.skippedFrames, pieces?.skippedFrames);
      if (whole?.skippedFrames === 0) {
        assertPrefix(
          messages.map((frame) => encodeStream(frame.seq, frame.data)),
          bytes,
        );
      }
    },
  },
  {
    name: "stream pieces",
    seeds: "stream",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      assert.deepEqual(readPieces(cutRandomly(bytes, random)), readPieces([bytes]));
    },
  },
  {
    name: "stream salvage",
    seeds: "stream",
    tryOne(seed, random) {
      const marker = encodeStream(1 + random.next(1000));
      const salvage = new StreamSalvage(marker, (seq) => seq < 1000);
      for (const piece of cutRandomly(mutateBytes(seed, random), random)) if (salvage.push(piece)) return;
      // Whatever came before, the marker is found.
      assert.ok(salvage.push(marker));
    },
  },
  {
    name: "payload bytes",
    seeds: "payload",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      for (const parse of parsers) tryParse(parse, bytes);
    },
  },
  {
    name: "payload values",
    seeds: "payload",
    tryOne(seed, random) {
      const value = mutateJson(JSON.parse(Buffer.from(seed).toString()), random);
      const bytes = Buffer.from(JSON.stringify(value));
      for (const parse of parsers) tryParse(parse, bytes);
    },
  },
];
