/** Doing the same many times: the memory that it takes must not grow. */
import * as sys from "tiny:sys";
import { fork, O_RDONLY, onExit, readText, startTimer, withFile } from "../../src/index.ts";
import { runScenarios } from "./scenarios.ts";

/** Resident memory of this process in KiB. */
function residentMemory(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readText("/proc/self/status"))?.[1]);
}

/** KiB and descriptors that so many rounds add, after as many to warm up as the allocator may want. */
async function growth(
  rounds: number,
  round: () => Promise<void>,
): Promise<[memory: number, descriptors: number]> {
  for (let i = 0; i < rounds / 10; i++) await round();
  const before = [residentMemory(), sys.readdir("/proc/self/fd").length] as const;
  for (let i = 0; i < rounds; i++) await round();
  return [residentMemory() - before[0], sys.readdir("/proc/self/fd").length - before[1]];
}

const buffer = new Uint8Array(4096);

runScenarios({
  timers: (rounds) => growth(Number(rounds), () => new Promise((resolve) => startTimer(0, resolve))),
  reads: (rounds) =>
    growth(Number(rounds), async () => {
      withFile("/proc/self/stat", O_RDONLY, 0, (fd) => sys.read(fd, buffer, 0, buffer.length));
    }),
  forks: (rounds) =>
    growth(
      Number(rounds),
      () =>
        new Promise((resolve) =>
          onExit(
            fork(() => sys.exit(0)),
            () => resolve(),
          ),
        ),
    ),
  reserves: (rounds) => growth(Number(rounds), async () => sys.reserveMemory()),
  errors: (rounds) =>
    growth(Number(rounds), async () => {
      try {
        sys.stat("/none");
      } catch {
        // As meant.
      }
    }),
});
