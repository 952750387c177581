import assert from "node:assert/strict";
import { test } from "node:test";
import type { VmCacheTier } from "../types/index.ts";
import type { TierNumbers } from "./tiers.ts";
import { type TakeOptions, VmPool, type WaitingVm } from "./vm-pool.ts";

class FakeVm implements WaitingVm {
  readonly name: number;
  tier: VmCacheTier;
  readonly #gone = Promise.withResolvers<void>();
  isClaimed = false;
  isDiscarded = false;
  timesTakenBack = 0;
  /** why it cannot be taken back */
  hindrance: Error | undefined;
  /** why its end fails */
  obstacle: Error | undefined;

  constructor(name: number, tier: VmCacheTier) {
    this.name = name;
    this.tier = tier;
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  isThere(): boolean {
    return !this.isClaimed && !this.isDiscarded;
  }

  claim(): void {
    this.isClaimed = true;
  }

  die(): void {
    this.#gone.resolve();
  }

  takeBack(): boolean {
    if (this.hindrance) throw this.hindrance;
    this.timesTakenBack += 1;
    return this.isThere();
  }

  release(): void {}

  async discard(): Promise<void> {
    if (!this.isThere()) return;
    this.isDiscarded = true;
    if (this.obstacle) throw this.obstacle;
    this.#gone.resolve();
  }
}

function makePool(options: { wanted?: Partial<TierNumbers>; failures?: number; best?: VmCacheTier } = {}) {
  const { wanted = { paused: 2 }, failures = 0, best } = options;
  const made: FakeVm[] = [];
  const steps: string[] = [];
  const faults: unknown[] = [];
  let left = failures;
  const pool = new VmPool<FakeVm>({
    wanted: { rehearsed: 0, paused: 0, prepared: 0, ...wanted },
    onFault: (error) => faults.push(error),
    make: async (tier, from) => {
      if (left-- > 0) throw new Error("no room");
      steps.push(from ? `${from.tier} to ${tier}` : tier);
      if (from) {
        from.tier = tier;
        return from;
      }
      const vm = new FakeVm(made.length, best ?? tier);
      made.push(vm);
      return vm;
    },
  });
  return { pool, made, steps, faults };
}

const FOREVER: TakeOptions = { signal: new AbortController().signal, leaseMs: 60_000 };
/** Ends are told in a later turn. */
const nextTurn = () => new Promise(setImmediate);

test("a pool is filled again when one is taken, and none is handed out twice", async () => {
  const { pool, made } = makePool({ wanted: { paused: 4 } });
  pool.fill();
  await pool.filled();
  assert.equal(pool.ready.length, 4);
  const taken = new Set<number>();
  for (let request = 0; request < 100; request++) {
    const lease = await pool.take(FOREVER);
    lease.vm.claim();
    lease.end();
    taken.add(lease.vm.name);
  }
  await pool.filled();
  assert.equal(taken.size, 100);
  assert.equal(made.length, 104);
  assert.equal(pool.history.claimed, 100);
  await pool.close();
  assert.ok(made.every(({ isClaimed, isDiscarded }) => isClaimed !== isDiscarded));
});

test("the best is given, and made of what is there", async () => {
  const { pool, steps } = makePool({ wanted: { rehearsed: 1, paused: 1, prepared: 1 } });
  pool.fill();
  await pool.filled();
  assert.deepEqual(steps, ["rehearsed", "paused", "prepared"]);
  const leases = await Promise.all([1, 2, 3].map(() => pool.take(FOREVER)));
  assert.deepEqual(
    leases.map(({ vm }) => vm.tier),
    ["rehearsed", "paused", "prepared"],
  );
  for (const { vm, end } of leases) {
    vm.claim();
    end();
  }
  await pool.filled();
  assert.deepEqual(pool.ready.map(({ tier }) => tier).sort(), ["paused", "prepared", "rehearsed"]);
  steps.length = 0;
  const lease = await pool.take(FOREVER);
  lease.vm.claim();
  lease.end();
  await pool.filled();
  assert.deepEqual(steps, ["paused to rehearsed", "prepared to paused", "prepared"]);
  await pool.close();
});

test("what is not claimed is for the next, be its time up or its taker gone", async () => {
  const { pool } = makePool({ wanted: { paused: 1 } });
  const first = await pool.take({ ...FOREVER, leaseMs: 5 });
  assert.deepEqual(pool.leased, [first.vm]);
  await pool.filled();
  const second = await pool.take(FOREVER);
  assert.notEqual(first.vm, second.vm);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(pool.ready, [first.vm]);
  second.end();
  const spoilt = await pool.take({ ...FOREVER, once: true });
  spoilt.end();
  assert.ok(spoilt.vm.isDiscarded);
  assert.ok(!pool.ready.includes(spoilt.vm));
  await pool.close();
});

test("the end of a lease that has lapsed is no end of the next one's", async () => {
  const { pool } = makePool({ wanted: { paused: 1 } });
  pool.fill();
  await pool.filled();
  const late = await pool.take({ ...FOREVER, leaseMs: 5 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(late.vm.timesTakenBack, 1);
  const next = await pool.take(FOREVER);
  assert.equal(next.vm, late.vm);
  late.end();
  assert.deepEqual([pool.leased, pool.ready], [[next.vm], []]);
  await pool.close();
});

test("when one comes back and enough are ready, the least ready is ended", async () => {
  const { pool, made } = makePool({ wanted: { rehearsed: 1, paused: 1 } });
  pool.fill();
  await pool.filled();
  const leases = await Promise.all([1, 2, 3].map(() => pool.take(FOREVER)));
  await pool.filled();
  assert.deepEqual(
    made.map(({ tier }) => tier),
    ["rehearsed", "paused", "paused", "rehearsed", "paused"],
  );
  for (const { end } of leases) end();
  assert.deepEqual(
    pool.ready.map(({ name }) => name),
    [3, 0],
  );
  await pool.filled();
  assert.deepEqual(
    made.filter(({ isDiscarded }) => isDiscarded).map(({ name }) => name),
    [1, 2, 4],
  );
  assert.deepEqual([pool.leased, pool.history.claimed, pool.history.lost, made.length], [[], 0, 0, 5]);
  await pool.close();
});

test("one that is claimed counts as such at once", async () => {
  const { pool } = makePool({ wanted: { paused: 1 } });
  const lease = await pool.take(FOREVER);
  assert.deepEqual([pool.leased.length, pool.history.claimed], [1, 0]);
  lease.vm.claim();
  assert.deepEqual([pool.leased.length, pool.history.claimed], [0, 1]);
  lease.end();
  assert.equal(pool.history.claimed, 1);
  await pool.close();
});

test("that one cannot be taken back is told, and it is for nobody", async () => {
  const { pool, faults } = makePool({ wanted: { paused: 1 } });
  const lease = await pool.take(FOREVER);
  const obstacle = new Error("the disk is full");
  lease.vm.hindrance = obstacle;
  lease.end();
  assert.ok(lease.vm.isDiscarded);
  assert.deepEqual(faults, [obstacle]);
  await pool.close();
});

test("who asks for one and is gone already gets none", async () => {
  const { pool } = makePool({ wanted: { paused: 1 } });
  pool.fill();
  await pool.filled();
  await assert.rejects(pool.take({ ...FOREVER, signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
  assert.deepEqual([pool.ready.length, pool.leased.length], [1, 0]);
  await pool.close();
});

test("a tier that cannot be had is done without", async () => {
  const { pool, steps, faults } = makePool({ wanted: { rehearsed: 2 }, best: "paused" });
  pool.fill();
  await pool.filled();
  assert.deepEqual(steps, ["rehearsed", "paused"]);
  assert.deepEqual(pool.wanted, { rehearsed: 0, paused: 2, prepared: 0 });
  assert.equal(faults.length, 1);
  await pool.close();
});

test("one that dies while it waits is replaced", async () => {
  const { pool, made, faults } = makePool({ wanted: { paused: 1 } });
  pool.fill();
  await pool.filled();
  made[0]?.die();
  await nextTurn();
  const next = await pool.take(FOREVER);
  assert.equal(next.vm.name, 1);
  assert.ok(made[0]?.isDiscarded);
  assert.equal(pool.history.lost, 1);
  assert.equal((faults[0] as { code: string }).code, "ERR_VM_LOST");
  await pool.close();
});

test("one that dies with its lease is given to nobody", async () => {
  const { pool, made } = makePool({ wanted: { paused: 1 } });
  const lease = await pool.take(FOREVER);
  lease.vm.die();
  await nextTurn();
  lease.end();
  assert.ok(made[0]?.isDiscarded);
  assert.ok(!pool.ready.includes(lease.vm));
  await pool.close();
});

test("that one cannot be ended is told, and hinders nobody", async () => {
  const { pool, made, faults } = makePool({ wanted: { paused: 2 } });
  pool.fill();
  await pool.filled();
  const obstacle = new Error("it does not end");
  for (const vm of made) vm.obstacle = obstacle;
  (await pool.take({ ...FOREVER, once: true })).end();
  await nextTurn();
  assert.deepEqual(faults, [obstacle]);
  await pool.close();
  assert.deepEqual(faults, [obstacle, obstacle]);
});

test("a failure is told, and does not close the pool", async () => {
  const { pool, faults } = makePool({ wanted: { paused: 1 }, failures: 1 });
  pool.fill();
  await pool.filled();
  assert.equal(pool.history.fault, "no room");
  assert.equal(pool.history.failures, 1);
  const { vm } = await pool.take(FOREVER);
  assert.equal(vm.name, 0);
  assert.equal(faults.length, 1);
  assert.equal(pool.history.fault, undefined);
  await pool.close();
});

test("whoever waits is told of the end, or ends by himself", async () => {
  const never = new VmPool<FakeVm>({
    wanted: { rehearsed: 0, paused: 1, prepared: 0 },
    make: () => new Promise(() => {}),
  });
  const impatient = new AbortController();
  const waiting = never.take({ ...FOREVER, signal: impatient.signal });
  impatient.abort();
  await assert.rejects(waiting, { code: "ERR_ABORTED" });
  const { pool } = makePool({ wanted: { paused: 1 }, failures: 100 });
  const late = pool.take(FOREVER);
  late.catch(() => {});
  await pool.close();
  await assert.rejects(late, { code: "ERR_CACHE_CLOSED" });
  await assert.rejects(pool.take(FOREVER), { code: "ERR_CACHE_CLOSED" });
});
