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
} from "../src/hyperstart/index.ts";
import { decodeBothWays } from "./decode.ts";
import { mutateBytes, mutateJson } from "./mutate.ts";
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
