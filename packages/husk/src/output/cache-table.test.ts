import assert from "node:assert/strict";
import { test } from "node:test";
import type { VmCacheStatus } from "@husk/virtcontainers";
import { renderCache } from "./cache-table.ts";

const now = new Date("2026-11-23T12:00:00Z");
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const status: VmCacheStatus = {
  pid: 100,
  key: "k",
  startedAt: before(7200),
  wanted: { rehearsed: 1, paused: 2, prepared: 0 },
  vms: [
    {
      pid: 2345,
      tier: "rehearsed",
      leased: false,
      foreign: false,
      readyAt: before(60),
      vcpus: 1,
      memory: 256,
    },
    { pid: 9, tier: "paused", leased: true, foreign: false, readyAt: before(5), vcpus: 2, memory: 1024 },
  ],
  claimed: 7,
  lost: 0,
  cleared: 0,
  failures: 0,
  refused: 0,
};

test("a cache is shown with its VMs", () => {
  assert.equal(
    renderCache(status, now),
    `server 100, up for 2 hours: 1 of 3 VMs ready, 7 taken
 PID  TIER       STATE       CPUS    MEMORY  AGE
2345  rehearsed  ready          1   256 MiB  1 minute
   9  paused     handed out     2  1024 MiB  5 seconds
`,
  );
});

test("what other programs have is told apart", () => {
  const vms = status.vms.map((vm) => ({ ...vm, foreign: vm.leased }));
  assert.equal(
    renderCache({ ...status, vms, refused: 3 }, now),
    `server 100, up for 2 hours: 1 of 3 VMs ready, 7 taken, 3 refused to other programs
 PID  TIER       STATE                 CPUS    MEMORY  AGE
2345  rehearsed  ready                    1   256 MiB  1 minute
   9  paused     with another program     2  1024 MiB  5 seconds
`,
  );
});

test("what went wrong is told in one line, without what steers a terminal", () => {
  const troubled = { ...status, vms: [], lost: 2, failures: 3, fault: "no room\non the \u001b[1mtmpfs" };
  assert.equal(
    renderCache(troubled, now),
    `server 100, up for 2 hours: 0 of 3 VMs ready, 7 taken, 2 lost
last fault (3 in a row): no room on the \ufffd[1mtmpfs
`,
  );
});
