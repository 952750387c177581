import assert from "node:assert/strict";
import { test } from "node:test";
import { VmPool, type WaitingVm } from "./vm-pool.ts";

class FakeVm implements WaitingVm {
  readonly name: number;
  readonly #gone = Promise.withResolvers<void>();
  isClaimed = false;
  isDiscarded = false;

  constructor(name: number) {
    this.name = name;
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  isThere(): boolean {
    return !this.isClaimed && !this.isDiscarded;
  }

  claim(): void {
    this.isClaimed = true;
    this.#gone.resolve();
  }

  die(): void {
    this.#gone.resolve();
  }

  async discard(): Promise<void> {
    this.isDiscarded = true;
    this.#gone.resolve();
  }
}

function makePool(options: { size?: number; leaseMs?: number; failures?: number } = {}) {
  const { size = 2, leaseMs = 60_000, failures = 0 } = options;
  const made: FakeVm[] = [];
  const faults: unknown[] = [];
  let left = failures;
  const pool = new VmPool<FakeVm>({
    size,
    leaseMs,
    onFault: (error) => faults.push(error),
    make: async () => {
      if (left-- > 0) throw new Error("no room");
      const vm = new FakeVm(made.length);
      made.push(vm);
      return vm;
    },
  });
  return { pool, made, faults };
}

const FOREVER = new AbortController().signal;

test("a pool is filled again when one is taken, and none is handed out twice", async () => {
  const { pool, made } = makePool({ size: 4 });
  pool.fill();
  await pool.filled();
  assert.equal(pool.ready.length, 4);
  const taken = new Set<number>();
  for (let request = 0; request < 100; request++) {
    const vm = await pool.take(FOREVER);
    vm.claim();
    taken.add(vm.name);
  }
  await pool.filled();
  assert.equal(taken.size, 100);
  assert.equal(made.length, 104);
  await pool.close();
  assert.ok(made.every(({ isClaimed, isDiscarded }) => isClaimed !== isDiscarded));
});

test("what is not claimed is for the next, be its time up or its taker gone", async () => {
  const { pool } = makePool({ size: 1, leaseMs: 5 });
  const first = await pool.take(FOREVER);
  await pool.filled();
  const second = await pool.take(FOREVER);
  assert.notEqual(first, second);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(pool.ready.includes(first) && pool.ready.includes(second));
  const gone = new AbortController();
  const third = await pool.take(gone.signal);
  gone.abort();
  assert.ok(pool.ready.includes(third));
  await pool.close();
});

test("one that dies while it waits is replaced", async () => {
  const { pool, made } = makePool({ size: 1 });
  pool.fill();
  await pool.filled();
  made[0]?.die();
  // Its end is told in a later turn.
  await new Promise(setImmediate);
  const next = await pool.take(FOREVER);
  assert.equal(next.name, 1);
  assert.ok(made[0]?.isDiscarded);
  await pool.close();
});

test("a failure is told, and does not close the pool", async () => {
  const { pool, faults } = makePool({ size: 1, failures: 1 });
  const vm = await pool.take(FOREVER);
  assert.equal(vm.name, 0);
  assert.equal(faults.length, 1);
  assert.equal(pool.fault, undefined);
  await pool.close();
});

test("whoever waits is told of the end, or ends by himself", async () => {
  const never = new VmPool<FakeVm>({ size: 1, leaseMs: 1000, make: () => new Promise(() => {}) });
  const impatient = new AbortController();
  const waiting = never.take(impatient.signal);
  impatient.abort();
  await assert.rejects(waiting, { code: "ERR_ABORTED" });
  const { pool } = makePool({ size: 1, failures: 100 });
  const late = pool.take(FOREVER);
  late.catch(() => {});
  await pool.close();
  await assert.rejects(late, { code: "ERR_CACHE_CLOSED" });
  await assert.rejects(pool.take(FOREVER), { code: "ERR_CACHE_CLOSED" });
});
