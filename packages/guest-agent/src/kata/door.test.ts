import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KataSession } from "../../test/support/kata-session.ts";
import { needsStage } from "../../test/support/stage.ts";

describe("the Kata door", needsStage, () => {
  it("tells that it serves, and what it is", async () => {
    await using session = await KataSession.start();
    assert.equal((await session.health("Check")).status, 1);
    assert.deepEqual(await session.health("Version"), { grpcVersion: "0.0.1", agentVersion: "0.1.0+husk" });
  });

  it("answers what it does not have by its name", async () => {
    await using session = await KataSession.start();
    const { status, message } = await session.refuse("StartTracing", {});
    assert.equal(status, "UNIMPLEMENTED");
    assert.match(message, /grpc\.AgentService has no method "StartTracing"/);
  });

  it("serves several connections at once", async () => {
    await using session = await KataSession.start();
    const others = Array.from({ length: 20 }, () => session.connect());
    await Promise.all(others.map((other) => other.health("Check")));
  });
});
