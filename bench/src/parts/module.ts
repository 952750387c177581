import type { BenchPlace } from "../support/bench-place.ts";
import { ManyContainers } from "../support/many-containers.ts";
import { type Measurement, summarise } from "../support/measurement.ts";
import { readCost } from "../support/process-cost.ts";

/** containers that a module finds again */
const RUNNING = 50;
/** containers that are listed */
const LISTED = 100;
/** lines of each container whose log is read */
const LINES = 8000;
const REST = ["sleep", "1000000"];
/**
 * Writes a thousand lines a second, a hundred at a time: fifty that write each by itself are more than two processors can do.
 * It does not end, since what is in a pipe goes with its last user.
 */
const WRITER = `i=0
while [ $i -lt ${LINES} ]; do
  s=
  until s="\${s}line $i\\n"; i=$((i+1)); [ $((i%100)) = 0 ]; do :; done
  printf "$s"
  usleep 95000
done
exec sleep 1000000`;

/** (o) The container module, by runc: what its shims hold, how soon it finds its containers, and what logs lose. */
export async function measureModule(place: BenchPlace, runs: number): Promise<Measurement[]> {
  return [...(await findAgain(place, runs)), ...(await killAll(place))];
}

async function findAgain(place: BenchPlace, runs: number): Promise<Measurement[]> {
  await using containers = await ManyContainers.open(place);
  const starts = await containers.start(RUNNING, REST);
  const opens: number[] = [];
  for (let run = 0; run < runs; run++) opens.push((await reopen(containers, RUNNING)).openMs);
  const pss = containers.shims().map((pid) => readCost(pid).pss);
  await containers.start(LISTED - RUNNING, REST);
  const lists: number[] = [];
  for (let run = 0; run < runs; run++) lists.push((await reopen(containers, LISTED)).listMs);
  const row = (what: string, values: readonly number[], unit: string, limit: number): Measurement => ({
    part: "o",
    what,
    unit,
    ...summarise(values),
    target: { of: "value", relation: "at most", limit },
  });
  return [
    { part: "o", what: "run, four at a time", unit: "ms", ...summarise(starts) },
    row("PSS of the shim of a container", pss, "MB", 3),
    row(`open by another process, ${RUNNING} containers running`, opens, "ms", 500),
    row(`list, ${LISTED} containers running`, lists, "ms", 100),
  ];
}

/** All shims are killed while their containers write; a module that is opened then starts others. */
async function killAll(place: BenchPlace): Promise<Measurement[]> {
  await using containers = await ManyContainers.open(place);
  const begin = performance.now();
  await containers.start(RUNNING, ["sh", "-c", WRITER]);
  for (const pid of containers.shims()) process.kill(pid, "SIGKILL");
  const { openMs } = await containers.reopen();
  const logs = await containers.logs(`line ${LINES - 1}\n`);
  const took = (performance.now() - begin) / 1000;
  const wanted = Array.from({ length: LINES }, (_, index) => `line ${index}\n`).join("");
  const lost = logs.reduce((sum, log) => sum + (log === wanted ? 0 : countFaults(log)), 0);
  const what = `lines lost or doubled of ${RUNNING} x ${LINES}, all shims killed meanwhile`;
  return [
    { part: "o", what: `open after ${RUNNING} shims were killed`, unit: "ms", value: openMs },
    { part: "o", what, unit: "lines", value: lost, target: { of: "value", relation: "at most", limit: 0 } },
    { part: "o", what: "all of them together", unit: "lines/s", value: (RUNNING * LINES) / took },
  ];
}

/** Lines that are not there exactly once. */
function countFaults(log: string): number {
  const counts = new Map<string, number>();
  for (const line of log.split("\n")) counts.set(line, (counts.get(line) ?? 0) + 1);
  return Array.from({ length: LINES }, (_, index) => counts.get(`line ${index}`)).filter(
    (count) => count !== 1,
  ).length;
}

async function reopen(containers: ManyContainers, count: number) {
  const opening = await containers.reopen();
  if (opening.running !== count) throw new Error(`${opening.running} containers were found, not ${count}`);
  return opening;
}
