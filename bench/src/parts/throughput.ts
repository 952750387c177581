import { deletePod, enterContainer } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { interleave, type Measurement, median, summarise } from "../support/measurement.ts";
import { AMOUNT, measureSpeed, startPortWriter } from "../support/port-writer.ts";

/** (d) A container's stdout through the stream channel, against plain writes to a virtio-serial port. */
export async function measureThroughput(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const port = await startPortWriter(place);
  await place.startRestingPod("stream", ["stream"]);
  const [husk, plain] = await interleave(
    runs,
    () => readContainer(place, "stream"),
    () => port.read(),
  );
  await deletePod("stream", place.options);
  await port.stop();
  const target = { of: "ratio", relation: "at least", limit: 0.5 } as const;
  const what = "stdout of dd, against dd onto a port";
  return [{ part: "d", what, unit: "MB/s", ...summarise(husk), baseline: median(plain), target }];
}

/** Speed in MB/s of what a container writes, in a pod that is called as its container. */
export async function readContainer(place: BenchPlace, podId: string): Promise<number> {
  const args = ["/bin/dd", "if=/dev/zero", "bs=64k", `count=${AMOUNT * 16}`];
  const { process: entered } = await enterContainer(
    podId,
    podId,
    { args },
    { ...place.options, attach: true },
  );
  entered.io.stderr?.resume();
  const [speed] = await Promise.all([measureSpeed(entered.io.stdout), entered.io.wait()]);
  return speed;
}
