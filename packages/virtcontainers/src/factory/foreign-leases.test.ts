import assert from "node:assert/strict";
import { test } from "node:test";
import { ForeignLeases, TooManyForeignError } from "./foreign-leases.ts";
import { VmPool, type WaitingVm } from "./vm-pool.ts";

/** A pool of VMs that are nothing, of which two may be with clients that are not ours. */
function makeLeases() {
  const ended: WaitingVm[] = [];
  const claimed = new Set<WaitingVm>();
  const make = async () => {
    const vm: WaitingVm = {
      tier: "paused",
      gone: new Promise(() => {}),
      isThere: () => !ended.includes(vm) && !claimed.has(vm),
      takeBack: () => vm.isThere(),
      release: () => {},
      discard: async () => void ended.push(vm),
    };
    return vm;
  };
  const pool = new VmPool({ wanted: { rehearsed: 0, paused: 2, prepared: 0 }, make });
  return { pool, leases: new ForeignLeases(pool, 2), ended, claimed };
}

/** A client that is there until it goes. */
function makeClient() {
  const connection = new AbortController();
  const { signal } = connection;
  return { signal, disconnected: signal, go: () => connection.abort() };
}

test("no more VMs than may be are with clients that are not ours, those that wait counted", async () => {
  const { pool, leases, claimed } = makeLeases();
  const takes = [1, 2, 3].map(() => leases.take(makeClient()));
  const [first, , refused] = await Promise.allSettled(takes);
  assert.ok(refused?.status === "rejected" && refused.reason instanceof TooManyForeignError);
  assert.match(
    refused.reason.message,
    /have, or wait for, all of the 2 VMs that they may have; each is ended /,
  );
  assert.deepEqual([leases.vms.size, leases.refused], [2, 1]);
  assert.ok(first?.status === "fulfilled");
  claimed.add(first.value.vm);
  await leases.take(makeClient());
  await assert.rejects(leases.take(makeClient()), TooManyForeignError);
  assert.deepEqual([leases.vms.size, leases.refused], [2, 2]);
  await pool.close();
});

test("a VM is ended soon after its client has gone, and ten minutes after it was handed out", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pool, leases, ended } = makeLeases();
  const client = makeClient();
  const { vm: left } = await leases.take(client);
  const { vm: kept } = await leases.take(makeClient());
  client.go();
  t.mock.timers.tick(9_000);
  assert.deepEqual(ended, []);
  t.mock.timers.tick(2_000);
  assert.deepEqual(ended, [left]);
  assert.deepEqual([...leases.vms], [kept]);
  t.mock.timers.tick(590_000);
  assert.deepEqual(ended, [left, kept]);
  assert.equal(leases.vms.size, 0);
  await pool.close();
});

test("a client that gives up while it waits has no VM, and its place is another's", async () => {
  const { pool, leases } = makeLeases();
  const [patient, impatient] = [makeClient(), makeClient()];
  const takes = [leases.take(patient), leases.take(impatient)];
  impatient.go();
  const [, failed] = await Promise.allSettled(takes);
  assert.equal(failed?.status, "rejected");
  assert.equal(leases.vms.size, 1);
  await leases.take(makeClient());
  await pool.close();
});
