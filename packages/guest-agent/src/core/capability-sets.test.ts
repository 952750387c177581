import assert from "node:assert/strict";
import { test } from "node:test";
import type { Capabilities } from "@husk/wire/hyperstart";
import { capabilityBits, capabilityNumbers, readCapabilitySets } from "./capability-sets.ts";

test("capabilities have the kernel's numbers", () => {
  const known = { CAP_CHOWN: 0, CAP_SETPCAP: 8, CAP_NET_RAW: 13, CAP_SYS_ADMIN: 21, CAP_MKNOD: 27 };
  const above = { CAP_SETFCAP: 31, CAP_MAC_OVERRIDE: 32, CAP_AUDIT_READ: 37, CAP_CHECKPOINT_RESTORE: 40 };
  for (const [name, number] of Object.entries({ ...known, ...above })) {
    assert.deepEqual(capabilityNumbers([name]), new Set([number]), name);
  }
});

test("a set is a number, and who is named twice counts once", () => {
  assert.equal(capabilityBits(capabilityNumbers([])), 0);
  assert.equal(capabilityBits(capabilityNumbers(["CAP_KILL", "CAP_BPF", "CAP_KILL"])), 32 + 2 ** 39);
});

test("a name that is none is named", () => {
  for (const name of ["CAP_NONE", "CHOWN", "CAP_chown", "CAP_", ""]) {
    assert.throws(() => capabilityNumbers(["CAP_KILL", name]), { message: `unknown capability "${name}"` });
  }
});

test("sets that the kernel would refuse are told by name", () => {
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  const kill = ["CAP_KILL"];
  for (const [sets, message] of [
    [{ effective: kill }, 'capability "CAP_KILL" is effective, but not permitted'],
    [{ ambient: kill }, 'capability "CAP_KILL" is ambient, but not permitted'],
    [{ ambient: kill, permitted: kill }, 'capability "CAP_KILL" is ambient, but not inheritable'],
    [{ inheritable: kill }, 'capability "CAP_KILL" is inheritable, but not bounding'],
    [{ bounding: ["KILL"] }, 'unknown capability "KILL"'],
  ] as const) {
    assert.throws(() => readCapabilitySets({ ...none, ...sets } as Capabilities), { message });
  }
  const all = { bounding: kill, effective: kill, permitted: kill, inheritable: kill, ambient: kill };
  assert.deepEqual(readCapabilitySets(all).ambient, new Set([5]));
  assert.deepEqual(readCapabilitySets(none).bounding, new Set());
});
