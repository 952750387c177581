import { randomBytes } from "node:crypto";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createContainer,
  deleteContainer,
  deletePod,
  startContainer,
  stopContainer,
} from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, summarise } from "../support/measurement.ts";
import { DEMO_ROOTFS } from "../support/places.ts";

const POD = "hotplug";

/**
 * (g) A container with a root of its own in a pod that runs: its disk is plugged in, found by the guest and mounted. The
 * root is packed before, as an image that is used again is.
 */
export async function measureHotplug(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const target = { of: "value", relation: "at most", limit: 400 } as const;
  const rootFs = join(place.folder, "other");
  await cp(DEMO_ROOTFS, rootFs, { recursive: true, verbatimSymlinks: true });
  await writeFile(join(rootFs, "etc/other"), randomBytes(8));
  const measurements: Measurement[] = [];
  for (const blockDeviceDriver of ["virtio-blk", "virtio-scsi"] as const) {
    await place.startRestingPod(POD, ["first"], { hypervisorConfig: { blockDeviceDriver } });
    const times: number[] = [];
    // One more: the first packs the root, and is not counted.
    for (let run = 0; run <= runs; run++) {
      const begin = performance.now();
      const config = { id: "more", rootFs, cmd: { args: ["sleep", "1000000"] } };
      await createContainer(POD, config, place.options);
      await startContainer(POD, config.id, place.options);
      if (run > 0) times.push(performance.now() - begin);
      await stopContainer(POD, config.id, place.options);
      await deleteContainer(POD, config.id, place.options);
    }
    await deletePod(POD, place.options);
    const what = `container on a hot-plugged disk, ${blockDeviceDriver}`;
    measurements.push({ part: "g", what, unit: "ms", ...summarise(times), target });
  }
  return measurements;
}
