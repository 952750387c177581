import assert from "node:assert/strict";
import type { ContainerModule } from "@husk/container-module";
import { DEMO_ROOTFS } from "../places.ts";
import { it } from "../vm-test.ts";
import { ModulePlace, type TestedBackend } from "./module-place.ts";
import { endOf, killWorker, untilDead, untilSays } from "./until.ts";

const COUNT = 50;
/** Containers that are deleted at the same time. */
const AT_ONCE = 10;
const ONCE = { restart: { limit: 0, delayMs: 0, stableMs: 0 } };
/** Writes for as long as it is not told to come to its end, and then the last number. */
const WRITER = `i=0; trap 'over=1' TERM; while [ -z "$over" ]; do echo line $i; i=$((i+1)); [ $((i%10)) = 0 ] && sleep 0.3; done; echo end $i; exit 7`;

/** Many containers, whose module and whose shims are killed: reach of the issue. */
export function conformMany(backend: TestedBackend): void {
  it(`${COUNT} containers are found again, when their module has died, and when all of their shims have`, async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const names = Array.from({ length: COUNT }, (_, index) => `c${index}`);
    const calls = names.map(
      (name) => ["run", ns, name, DEMO_ROOTFS, [], [], null, [], ["sh", "-c", WRITER], ONCE] as const,
    );
    const worker = place.start({ calls, stay: true });
    await untilSays(worker, `"c${COUNT - 1}"`);
    await killWorker(worker);

    const first = await place.open();
    const before = await listRunning(first);
    assert.deepEqual(Object.keys(before).sort(), [...names].sort());
    const shims = names.map((name) => place.shimPid(name));
    for (const pid of shims) process.kill(pid, "SIGKILL");
    for (const pid of shims) await untilDead(pid);
    const second = await place.open();
    assert.deepEqual(await listRunning(second), before);
    for (const [index, name] of names.entries()) assert.notEqual(place.shimPid(name), shims[index]);

    for (let start = 0; start < COUNT; start += AT_ONCE) {
      await Promise.all(names.slice(start, start + AT_ONCE).map((name) => endAndCheck(place, second, name)));
    }
    assert.deepEqual(await second.list(), []);
    assert.deepEqual(place.leftovers(), []);
  });
}

/** The containers' names and the processes that they are. */
async function listRunning(module: ContainerModule): Promise<Record<string, number | undefined>> {
  const infos = await module.list();
  for (const { id, ours } of infos) assert.equal(ours.state, "running", id);
  return Object.fromEntries(infos.map(({ id, ours }) => [id, ours.pid]));
}

/** Ends a container by its own doing; its log has every line once. */
async function endAndCheck(place: ModulePlace, module: ContainerModule, name: string): Promise<void> {
  using killer = await module.exec(place.ns, name, ["kill", "-TERM", "1"]);
  killer.stdin.end();
  await Promise.all([killer.wait().catch(() => {}), endOf(module, place.ns, name)]);
  const log = place.log(name);
  const [, count] = /end (\d+)\n$/.exec(log) ?? [];
  assert.ok(Number(count) > 0, log.slice(-100));
  const lines = Array.from({ length: Number(count) }, (_, index) => `line ${index}\n`).join("");
  assert.equal(log, `${lines}end ${count}\n`);
  await module.delete(place.ns, name, { graceMs: 0 });
}
