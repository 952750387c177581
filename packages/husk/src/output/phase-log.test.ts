import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PhaseLog, renderPhases, renderPhasesJson } from "./phase-log.ts";

const PHASES = [
  { name: "husk-loaded", at: 40, took: 40 },
  { name: "ready", at: 1240.25, took: 1200.25 },
];

describe("PhaseLog", () => {
  it("counts from the start of the process, each phase from the one before", () => {
    const log = new PhaseLog();
    log.record("one");
    log.record("two");
    const [one, two] = log.phases();
    assert.ok(one && two);
    assert.equal(one.took, one.at);
    assert.equal(two.took, two.at - one.at);
    assert.ok(two.at >= one.at);
  });
});

describe("renderPhases", () => {
  it("draws a bar in proportion to the longest phase", () => {
    const lines = renderPhases(PHASES).split("\n");
    assert.deepEqual(lines, [
      "PHASE         AT MS  TOOK MS",
      `husk-loaded    40.0     40.0  ${"█".repeat(1)}`,
      `ready        1240.3   1200.3  ${"█".repeat(30)}`,
      "",
    ]);
  });
});

describe("renderPhasesJson", () => {
  it("is one line with a total", () => {
    const text = renderPhasesJson(PHASES);
    assert.equal(text.indexOf("\n"), text.length - 1);
    assert.deepEqual(JSON.parse(text), { phases: PHASES, total: 1240.25 });
  });

  it("has a total of nothing when nothing was done", () => {
    assert.deepEqual(JSON.parse(renderPhasesJson([])), { phases: [], total: 0 });
  });
});
