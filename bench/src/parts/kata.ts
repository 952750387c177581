import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyToContainer, deletePod } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { measureDoorSize } from "../support/door-size.ts";
import { askKataAgent } from "../support/kata-metrics.ts";
import { interleave, type Measurement, median, summarise } from "../support/measurement.ts";
import { startPortWriter } from "../support/port-writer.ts";
import { work } from "../support/run-worker.ts";
import { timeTrue } from "./exec.ts";
import { readContainer } from "./throughput.ts";

/** least number of round trips, whatever the number of runs */
const LEAST = 100;
const FILE_MIB = 64;
const MIB = 2 ** 20;
const MEGABYTE = 1e6;

/** (k) The Kata agent's door against hyperstart's, and against a plain port. */
export async function measureKata(place: BenchPlace, runs: number): Promise<Measurement[]> {
  return [
    await compareExecs(place, runs),
    ...(await compareStreams(place, runs)),
    ...(await measureAgent(place)),
    await measureDoorSize(),
  ];
}

async function compareExecs(place: BenchPlace, runs: number): Promise<Measurement> {
  await place.startRestingPod("kata", ["kata"], { agentType: "kata" });
  await place.startRestingPod("hyper", ["hyper"]);
  const [kata, hyper] = await interleave(
    Math.max(runs, LEAST),
    () => timeTrue(place, "kata"),
    () => timeTrue(place, "hyper"),
  );
  for (const id of ["kata", "hyper"]) await deletePod(id, place.options);
  const target = { of: "ratio", relation: "at most", limit: 1.5 } as const;
  const what = "true in a container, against hyperstart";
  return { part: "k", what, unit: "ms", ...summarise(kata), baseline: median(hyper), target };
}

async function compareStreams(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const port = await startPortWriter(place);
  await place.startRestingPod("kata", ["kata"], {
    agentType: "kata",
    hypervisorConfig: { defaultMemSz: 512 },
  });
  const [stdout, plain] = await interleave(
    runs,
    () => readContainer(place, "kata"),
    () => port.read(),
  );
  const file = join(place.folder, "payload");
  await writeFile(file, Buffer.alloc(FILE_MIB * MIB, "x"));
  const [copies, again] = await interleave(
    runs,
    () => copy(place, file),
    () => port.read(),
  );
  await deletePod("kata", place.options);
  await port.stop();
  const baseline = median(plain);
  const least = { of: "ratio", relation: "at least" } as const;
  const writes = { part: "k", what: "stdout of dd, against dd onto a port", unit: "MB/s", baseline };
  const what = `a file of ${FILE_MIB} MiB, against dd onto a port`;
  return [
    { ...writes, ...summarise(stdout), target: { ...least, limit: 0.4 } },
    { ...writes, what, ...summarise(copies), baseline: median(again), target: { ...least, limit: 0.3 } },
  ];
}

/** Speed in MB/s of copying a file into the container. */
async function copy({ options }: BenchPlace, file: string): Promise<number> {
  const begin = performance.now();
  await copyToContainer("kata", "kata", file, "/payload", options);
  return (FILE_MIB * MIB) / 1000 / (performance.now() - begin);
}

/** The agent's memory with its Kata door in use: at rest, after 10 containers and 100 execs, after 300 execs. */
async function measureAgent(place: BenchPlace): Promise<Measurement[]> {
  await work(place, "boot-kata");
  const rest = await readResident(place);
  await work(place, "containers", "10");
  await work(place, "execs", "100");
  const busy = await readResident(place);
  await work(place, "execs", "200");
  const end = await readResident(place);
  await deletePod("memory", place.options);
  const target = { of: "value", relation: "at most", limit: 4 } as const;
  return [
    { part: "k", what: "agent's VmRSS at rest", value: rest, unit: "MB", target },
    { part: "k", what: "agent's VmRSS, 11 containers, 100 execs", value: busy, unit: "MB", target },
    { part: "k", what: "agent's VmRSS after 300 execs, against 100", value: end, unit: "MB", baseline: busy },
  ];
}

async function readResident(place: BenchPlace): Promise<number> {
  const metrics = await askKataAgent(place.podFile("memory", "kata.sock"));
  const bytes = metrics.get("kata_agent_process_resident_memory_bytes");
  if (bytes === undefined) throw new Error("the agent does not tell its memory");
  return bytes / MEGABYTE;
}
