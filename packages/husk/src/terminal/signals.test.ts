import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SignalTrap, statusOfSignal } from "./signals.ts";

// `process.emit` stands for the arrival of a signal: the trap sees no difference, and no process is put at
// risk.
const raise = (name: NodeJS.Signals) => process.emit(name, name);

describe("SignalTrap", () => {
  it("aborts husk's own work, and remembers the first signal", () => {
    using trap = new SignalTrap();
    raise("SIGTERM");
    raise("SIGINT");
    assert.equal(trap.signal.aborted, true);
    assert.equal(trap.caught, "SIGTERM");
  });

  it("does not end husk's own work for a signal that is meant for the command", () => {
    using trap = new SignalTrap();
    raise("SIGUSR1");
    assert.equal(trap.signal.aborted, false);
  });

  it("sends signals on to the command once there is one", () => {
    using trap = new SignalTrap();
    const sent: number[] = [];
    trap.forwardTo(async (signal) => void sent.push(signal));
    raise("SIGINT");
    raise("SIGUSR1");
    assert.deepEqual(sent, [2, 10]);
    assert.equal(trap.signal.aborted, false);
  });

  it("bears a command that cannot take the signal any more", async () => {
    using trap = new SignalTrap();
    const refused = Promise.reject(new Error("gone"));
    trap.forwardTo(() => refused);
    raise("SIGINT");
    await assert.rejects(refused, /gone/);
  });

  it("ignores signals while husk cleans up", () => {
    using trap = new SignalTrap();
    trap.forwardTo(() => assert.fail("must not be sent"));
    trap.ignore();
    raise("SIGINT");
    assert.equal(trap.signal.aborted, false);
  });

  it("gives the signals back", () => {
    const before = process.listenerCount("SIGINT");
    const trap = new SignalTrap();
    assert.equal(process.listenerCount("SIGINT"), before + 1);
    trap[Symbol.dispose]();
    assert.equal(process.listenerCount("SIGINT"), before);
  });
});

describe("statusOfSignal", () => {
  it("adds 128", () => assert.equal(statusOfSignal("SIGINT"), 130));
});
