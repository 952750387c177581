import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DrainSignals } from "./drain-signals.ts";

// `process.emit` stands for the arrival of a signal, as in signals.test.ts.
const raise = (name: NodeJS.Signals) => process.emit(name, name);

describe("DrainSignals", () => {
  it("asks once, then ends with the second signal's status", () => {
    const statuses: number[] = [];
    using signals = new DrainSignals((status) => void statuses.push(status));
    assert.equal(signals.signal.aborted, false);
    raise("SIGTERM");
    assert.deepEqual([signals.signal.aborted, statuses], [true, []]);
    raise("SIGINT");
    assert.deepEqual(statuses, [130]);
  });

  it("leaves signals alone when it is done", () => {
    const before = process.listenerCount("SIGTERM");
    new DrainSignals(() => {})[Symbol.dispose]();
    assert.equal(process.listenerCount("SIGTERM"), before);
  });
});
