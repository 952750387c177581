import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createPod, deletePod, listPod, statusPod, stopPod } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, summarise } from "../support/measurement.ts";
import { DEMO_ROOTFS } from "../support/places.ts";

const WORKER = join(import.meta.dirname, "../support/list-worker.ts");
/** pods that are listed */
const COUNT = 1000;
const MODEL = "model";

/** (h) The list of many stopped pods, and the status of one among them. */
export async function measureList(place: BenchPlace, runs: number): Promise<Measurement[]> {
  await makeStoppedPods(place);
  const firsts: number[] = [];
  const lists: number[] = [];
  const statuses: number[] = [];
  for (let run = 0; run < runs; run++) {
    firsts.push(await timeFirstList(place));
    lists.push(await time(() => listPod(place.options)));
    statuses.push(await time(() => statusPod(podName(run % COUNT), place.options)));
  }
  await Promise.all(Array.from({ length: COUNT }, (_, index) => deletePod(podName(index), place.options)));
  const target = { of: "value", relation: "at most", limit: 150 } as const;
  return [
    {
      part: "h",
      what: `first listPod of a process, ${COUNT} stopped pods`,
      unit: "ms",
      ...summarise(firsts),
      target,
    },
    { part: "h", what: "listPod again", unit: "ms", ...summarise(lists), target },
    { part: "h", what: "statusPod of one of them", unit: "ms", ...summarise(statuses) },
  ];
}

function podName(index: number): string {
  return `pod-${index}`;
}

/** A pod that has run is written down once more for each of the others: a thousand boots would take half an hour. */
async function makeStoppedPods(place: BenchPlace): Promise<void> {
  const container = (id: string) => ({ id, rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } });
  const containers = [container("one"), container("two")];
  await createPod({ id: MODEL, hypervisorType: "mock", agentType: "noop", containers }, place.options);
  await stopPod(MODEL, place.options);
  const record = JSON.parse(await readFile(place.podFile(MODEL, "pod.json"), "utf8"));
  for (let index = 0; index < COUNT; index++) {
    const id = podName(index);
    await mkdir(place.podFile(id, ""), { mode: 0o700 });
    await cp(place.podFile(MODEL, "lock"), place.podFile(id, "lock"));
    const copy = { ...record, uuid: crypto.randomUUID(), config: { ...record.config, id } };
    await writeFile(place.podFile(id, "pod.json"), `${JSON.stringify(copy, null, 1)}\n`, { mode: 0o600 });
  }
  await deletePod(MODEL, place.options);
}

/** What `husk ps` waits for: nothing is compiled or known yet. */
async function timeFirstList(place: BenchPlace): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, place.folder]);
  const { count, took } = JSON.parse(stdout);
  if (count !== COUNT) throw new Error(`${count} pods were listed, not ${COUNT}`);
  return took;
}

async function time(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await call();
  return performance.now() - begin;
}
