import type { SiteOptions } from "../network/site.ts";
import { writeRecord } from "../store/pod-record.ts";
import type { OpenPod } from "./open-pod.ts";

/** What the network of an open pod is set up, or undone, by. Its record is stored, but a pending change stays pending. */
export function networkOptions({ directory, record, hypervisor, call }: OpenPod): SiteOptions {
  const save = () => writeRecord(directory.file("record"), record);
  return { save, deadlineFactor: hypervisor.deadlineFactor, signal: call.signal };
}
