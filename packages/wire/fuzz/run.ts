import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "./random.ts";

/** One fuzz target: something that must hold for whatever comes of changing a seed. */
export interface Target {
  name: string;
  /** folder below `seeds/` with the byte strings to start from */
  seeds: string;
  /** Tries one changed seed. Throws when something does not hold. */
  tryOne(seed: Uint8Array, random: Random): void;
}

/** The kept byte strings of a target. Files ending in `.hex` are hex digits, with `#` comments. */
export function readSeeds(folder: string): Uint8Array[] {
  const path = join(import.meta.dirname, "seeds", folder);
  return readdirSync(path)
    .sort()
    .map((file) => {
      const content = readFileSync(join(path, file));
      if (!file.endsWith(".hex")) return new Uint8Array(content);
      const digits = content.toString("latin1").replace(/#.*|\s+/g, "");
      return new Uint8Array(Buffer.from(digits, "hex"));
    });
}

/** Tries each target `runs` times, with random numbers that depend on nothing but `seed`. */
export function runTargets(targets: readonly Target[], runs: number, seed: number): void {
  for (const target of targets) {
    const seeds = readSeeds(target.seeds);
    for (let run = 0; run < runs; run++) {
      // A run's own generator, so that it can be repeated without those before it.
      const random = new Random(seed + run);
      try {
        target.tryOne(random.pick(seeds), random);
      } catch (error) {
        throw new Error(`${target.name} fails with --seed ${seed + run} --runs 1`, { cause: error });
      }
    }
  }
}

/** The command line of a fuzz program: `--runs N` (100000), `--seed N` (from the clock). */
export function fuzzMain(targets: readonly Target[]): void {
  const { values } = parseArgs({ options: { runs: { type: "string" }, seed: { type: "string" } } });
  const runs = readCount(values.runs ?? "100000", "runs");
  const seed = readCount(values.seed ?? String(Date.now() % 2 ** 31), "seed");
  process.stdout.write(`${runs} runs of ${targets.map(({ name }) => name).join(", ")} with --seed ${seed}\n`);
  runTargets(targets, runs, seed);
  process.stdout.write("all hold\n");
}

function readCount(text: string, option: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`--${option} must be a whole number, not "${text}"`);
}
