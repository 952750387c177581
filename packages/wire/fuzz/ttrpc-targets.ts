import assert from "node:assert/strict";
import { MessageType, type TtrpcFrame } from "../src/ttrpc/frame.ts";
import { TtrpcDecoder } from "../src/ttrpc/frame-decoder.ts";
import type { TtrpcHandler, TtrpcResponse } from "../src/ttrpc/index.ts";
import { TtrpcClient, TtrpcError, TtrpcProtocolError, TtrpcServer } from "../src/ttrpc/index.ts";
import { decodeResponse } from "../src/ttrpc/response.ts";
import { cutRandomly, mutateBytes } from "./mutate.ts";
import type { Target } from "./run.ts";

const methods = new Map<string, TtrpcHandler>([
  ["Echo", ({ payload }) => payload],
  [
    "Fail",
    () => {
      throw new TtrpcError(5, "");
    },
  ],
]);

/** Feeds pieces until they are no ttrpc; true when all were. */
function feedAll(pieces: readonly Uint8Array[], feed: (piece: Uint8Array) => void): boolean {
  try {
    for (const piece of pieces) feed(piece);
    return true;
  } catch (error) {
    if (error instanceof TtrpcProtocolError) return false;
    throw error;
  }
}

function serve(pieces: readonly Uint8Array[]): { sent: Uint8Array; whole: boolean } {
  const sent: Uint8Array[] = [];
  const services = new Map([["test.Echo", methods]]);
  const server = new TtrpcServer({ services, send: (message) => sent.push(message) });
  const whole = feedAll(pieces, (piece) => server.feed(piece));
  assert.equal(server.callCount, 0);
  return { sent: new Uint8Array(Buffer.concat(sent)), whole };
}

/** The messages of a byte stream, as far as it is one. */
function framesOf(bytes: Uint8Array): readonly TtrpcFrame[] {
  try {
    return new TtrpcDecoder().push(bytes);
  } catch (error) {
    if (error instanceof TtrpcProtocolError) return error.frames;
    throw error;
  }
}

function assertAnswered({ status }: TtrpcResponse): void {
  if (status.code !== 0) assert.ok(status.message.length > 0, `status ${status.code} has no text`);
}

/** What must hold for all that a host or a guest may send. */
export const ttrpcTargets: readonly Target[] = [
  {
    name: "ttrpc requests",
    seeds: "ttrpc-requests",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      const outcome = serve([bytes]);
      assert.deepEqual(serve(cutRandomly(bytes, random)), outcome);
      const asked = framesOf(bytes).filter(
        ({ type }) => type === MessageType.REQUEST || type === MessageType.DATA,
      );
      const answers = framesOf(outcome.sent);
      assert.deepEqual(
        answers.map(({ streamId }) => streamId),
        asked.map(({ streamId }) => streamId),
      );
      for (const { data } of answers) assertAnswered(decodeResponse(data ?? new Uint8Array(0)));
    },
  },
  {
    name: "ttrpc responses",
    seeds: "ttrpc-responses",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      const listen = (pieces: readonly Uint8Array[]) => {
        const client = new TtrpcClient({ send: () => {} });
        const answers: TtrpcResponse[] = [];
        for (let count = 0; count < 3; count++) {
          client.start("test.Echo", "Echo", new Uint8Array(0), (answer) => answers.push(answer));
        }
        feedAll(pieces, (piece) => client.feed(piece));
        client.end();
        assert.equal(answers.length, 3);
        return answers;
      };
      const answers = listen([bytes]);
      assert.deepEqual(listen(cutRandomly(bytes, random)), answers);
    },
  },
];
