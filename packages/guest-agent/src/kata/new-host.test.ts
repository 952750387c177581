import { once } from "node:events";
import type { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { NEW_HOST } from "@husk/wire/kata";
import { endStage, needsStage, setStage } from "../../test/support/stage.ts";

const PING = Buffer.from([0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]);
const PONG = Buffer.from([0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9]);
/** The head of a frame of data, 30,000 bytes, of which few come. */
const HALF_FRAME = Buffer.concat([
  Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x75, 0x30]),
  Buffer.alloc(100),
]);
const DEADLINE_MS = 20_000;

/** Waits until bytes come that end with these. */
async function readUntil(port: Duplex, end: Buffer): Promise<void> {
  let bytes = Buffer.alloc(0);
  while (!bytes.subarray(-end.length).equals(end)) {
    const [chunk] = (await once(port, "data", { signal: AbortSignal.timeout(DEADLINE_MS) })) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
}

describe("a host that takes the port over", needsStage, () => {
  it("is understood although the one before went in the middle of a frame", async () => {
    const stage = await setStage({ door: "kata" });
    const port = stage.control;
    // When the answer is there, so is the rest, of which nothing else comes.
    port.write(Buffer.concat([PING, HALF_FRAME]));
    await readUntil(port, PONG);
    port.write(Buffer.concat([NEW_HOST, PING]));
    await readUntil(port, PONG);
    await endStage(stage, () => "");
  });
});
