import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Health } from "@husk/wire/kata";
import { encodeMessage } from "@husk/wire/protobuf";
import { TtrpcClient } from "@husk/wire/ttrpc";
import { SendQueue, YamuxSession } from "@husk/wire/yamux";
import { fuzzRequests } from "../../test/support/fuzz-door.ts";
import { KataSession } from "../../test/support/kata-session.ts";
import { Random } from "../../test/support/random.ts";
import { endStage, needsStage, setStage } from "../../test/support/stage.ts";

/** The same for every run unless HUSK_FUZZ_SEED says another. */
const SEED = Number(process.env.HUSK_FUZZ_SEED ?? 20201005);
console.log(`fuzz: HUSK_FUZZ_SEED=${SEED}`);

/** What a host sends that asks for the agent's health. */
function goodBytes(): Buffer {
  const frames: Uint8Array[] = [];
  const yamux = new YamuxSession({ role: "client", sink: (frame) => frames.push(frame) > 0 });
  const queue = new SendQueue(yamux.openStream());
  const client = new TtrpcClient({ send: (message) => void queue.push(message) });
  const empty = encodeMessage(Health.methods.Check.request, {});
  client.call(Health.name, "Check", empty).catch(() => {});
  return Buffer.concat(frames);
}

describe("spoilt requests", needsStage, () => {
  it("8,000 of any method and content are answered, and the agent does not grow", async () => {
    await using session = await KataSession.start({ confined: true });
    const outcomes = await fuzzRequests(session, 8000, new Random(SEED));
    const total = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(total, 8000, JSON.stringify([...outcomes]));
    // Some are good, so that all is tried.
    assert.ok((outcomes.get("OK") ?? 0) > 100);
  });

  it("4,000 spoilt pieces of what a host sends do not end the agent", async () => {
    const stage = await setStage({ door: "kata", confined: true });
    let log = "";
    stage.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    const random = new Random(SEED);
    const good = goodBytes();
    const answered = once(stage.control, "data");
    for (let piece = 0; piece < 4000; piece++) {
      const bytes = random.next(4) === 0 ? good : random.spoil(good);
      if (!stage.control.write(bytes)) await once(stage.control, "drain");
    }
    // Most of it may be on its way still; some of it is good.
    await answered;
    assert.equal(stage.child.exitCode, null, log);
    await endStage(stage, () => log);
    assert.doesNotMatch(log, /^ {4}at /m);
  });
});
