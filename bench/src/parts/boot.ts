import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBareVm, startBareVm } from "../support/bare-vm.ts";
import type { BenchPlace } from "../support/bench-place.ts";
import { makeInitArchive } from "../support/guest-program.ts";
import { interleave, type Measurement, median, summarise } from "../support/measurement.ts";
import { DEMO_ROOTFS, HUSK } from "../support/places.ts";

/** (a) `husk run … true` against a bare boot of the same VM whose init powers off. */
export async function measureBoot(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const vm = await readBareVm(place);
  const initramfs = join(place.folder, "poweroff.cpio");
  await writeFile(initramfs, makeInitArchive(place.folder, "poweroff"));
  const bareArgs = ["-initrd", initramfs, "-serial", `file:${join(place.folder, "console")}`];
  const huskArgs = [HUSK, "run", "--rm", "--rootfs", DEMO_ROOTFS, "--", "true"];
  const [husk, bare] = await interleave(
    runs,
    () => timeProcess(() => spawn(process.execPath, huskArgs, { env: place.env, stdio: "inherit" })),
    () => timeProcess(() => startBareVm(vm, bareArgs)),
  );
  const target = { of: "ratio", relation: "at most", limit: 1.3 } as const;
  const what = "husk run true, against a bare boot";
  return [{ part: "a", what, unit: "ms", ...summarise(husk), baseline: median(bare), target }];
}

/** Milliseconds from the start of a process to its end. @throws Error when it fails */
function timeProcess(start: () => ChildProcess): Promise<number> {
  const begin = performance.now();
  const child = start();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) resolve(performance.now() - begin);
      else reject(new Error(`${child.spawnargs.join(" ")} ended with ${signal ?? code}`));
    });
  });
}
