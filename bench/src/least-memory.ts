// Finds the least guest memory with which a container runs: `node bench/src/least-memory.ts`. Each step boots
// a VM.
import { spawn } from "node:child_process";
import { MIN_MEMORY_MIB } from "@husk/virtcontainers";
import { BenchPlace } from "./support/bench-place.ts";
import { DEMO_ROOTFS, HUSK } from "./support/places.ts";

/** an amount that surely suffices, in MiB */
const ENOUGH = 256;
/** distance of the two bounds at which the search ends, in MiB */
const PRECISION = 2;

await using place = await BenchPlace.create();
if (!(await runs(ENOUGH))) throw new Error(`nothing runs even with ${ENOUGH} MiB: husk check`);
process.stdout.write(
  `a container runs with ${await findLeast()} MiB (husk refuses less than ${MIN_MEMORY_MIB} MiB)\n`,
);

async function findLeast(): Promise<number> {
  if (await runs(MIN_MEMORY_MIB)) return MIN_MEMORY_MIB;
  let [tooLittle, enough] = [MIN_MEMORY_MIB, ENOUGH];
  while (enough - tooLittle > PRECISION) {
    const middle = Math.floor((tooLittle + enough) / 2);
    if (await runs(middle)) enough = middle;
    else tooLittle = middle;
  }
  return enough;
}

/** Whether a container runs in a VM of so much memory. */
async function runs(memory: number): Promise<boolean> {
  const args = [HUSK, "run", "--rm", "--memory", String(memory), "--rootfs", DEMO_ROOTFS, "--", "true"];
  const child = spawn(process.execPath, args, { env: place.env, stdio: "ignore" });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.once("error", () => resolve(false));
  child.once("exit", (code) => resolve(code === 0));
  const fits = await promise;
  process.stderr.write(`husk: ${memory} MiB: ${fits ? "runs" : "does not run"}\n`);
  return fits;
}
