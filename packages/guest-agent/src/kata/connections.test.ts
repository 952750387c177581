import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { AgentService } from "@husk/wire/kata";
import { TtrpcClient } from "@husk/wire/ttrpc";
import { SendQueue } from "@husk/wire/yamux";
import { residentOf } from "../../test/support/fuzz-door.ts";
import { KataSession } from "../../test/support/kata-session.ts";
import { needsStage } from "../../test/support/stage.ts";

/** Bytes of answers that are more than the agent may keep. */
const KIB_AT_MOST = 6 * 1024;

describe("connections", needsStage, () => {
  it("whose answers nobody reads cost the agent little, and others nothing", async () => {
    await using session = await KataSession.start();
    await session.call("GetMetrics", {});
    const before = residentOf(session);
    const stream = session.openIdleStream();
    const queue = new SendQueue(stream);
    const client = new TtrpcClient({ send: (message) => void queue.push(message) });
    const unread = Array.from({ length: 1000 }, () =>
      client.call(AgentService.name, "GetMetrics", new Uint8Array()).catch(() => {}),
    );
    for (let round = 0; round < 20; round++) {
      await session.call("GetMetrics", {});
      await turn();
    }
    const grown = residentOf(session) - before;
    assert.ok(grown < KIB_AT_MOST, `${grown} KiB more`);
    stream.reset();
    client.end();
    await Promise.all(unread);
    await session.call("GetMetrics", {});
  });

  it("are as many as 100 at a time, and the next one too many is refused", async () => {
    await using session = await KataSession.start();
    const others = Array.from({ length: 127 }, () => session.connect());
    await Promise.all(others.map((other) => other.health("Check")));
    const more = session.connect();
    await assert.rejects(more.health("Check"));
    await session.health("Check");
  });
});
