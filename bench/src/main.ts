// The benchmark: `npm run bench [-- --only a,c] [--runs N] [--json]`. What it measures: docs/performance.md.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { measureBoot } from "./parts/boot.ts";
import { measureCache } from "./parts/cache.ts";
import { measureExec } from "./parts/exec.ts";
import { measureFactory } from "./parts/factory.ts";
import { measureGrowth } from "./parts/growth.ts";
import { measureHotplug } from "./parts/hotplug.ts";
import { measureKata } from "./parts/kata.ts";
import { measureList } from "./parts/list.ts";
import { measureMemory } from "./parts/memory.ts";
import { measureModule } from "./parts/module.ts";
import { measureNetwork } from "./parts/network.ts";
import { measureReady } from "./parts/ready.ts";
import { measureResidents } from "./parts/residents.ts";
import { measureSizes } from "./parts/sizes.ts";
import { measureThroughput } from "./parts/throughput.ts";
import { BenchPlace } from "./support/bench-place.ts";
import type { Measurement } from "./support/measurement.ts";
import { HUSK, INITRAMFS } from "./support/places.ts";
import { renderJson, renderTable } from "./support/report.ts";

/** runs of each part when nothing else is said, and the least for figures worth publishing */
const DEFAULT_RUNS = 10;

type Part = (place: BenchPlace, runs: number) => Measurement[] | Promise<Measurement[]>;

const PARTS: Record<string, Part> = {
  a: measureBoot,
  b: measureReady,
  c: measureExec,
  d: measureThroughput,
  e: measureMemory,
  f: measureSizes,
  g: measureHotplug,
  h: measureList,
  i: measureNetwork,
  j: measureGrowth,
  k: measureKata,
  l: measureResidents,
  m: measureFactory,
  n: measureCache,
  o: measureModule,
};

const { values } = parseArgs({
  options: { only: { type: "string" }, runs: { type: "string" }, json: { type: "boolean" } },
});
const runs = Number(values.runs ?? DEFAULT_RUNS);
const parts = (values.only ?? Object.keys(PARTS).join(",")).split(",");
if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs takes a whole number above 0");
const unknown = parts.filter((part) => !(part in PARTS));
if (unknown.length > 0)
  throw new Error(
    `--only takes letters of ${Object.keys(PARTS).join("")}, with commas: not ${unknown.join(", ")}`,
  );
for (const file of [HUSK, INITRAMFS])
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run setup`);

const measurements: Measurement[] = [];
for (const part of parts) {
  process.stderr.write(`husk: measuring ${part} …\n`);
  await using place = await BenchPlace.create();
  measurements.push(...((await PARTS[part]?.(place, runs)) ?? []));
}
process.stdout.write(values.json ? renderJson(measurements) : renderTable(measurements));
