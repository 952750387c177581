import { availableParallelism } from "node:os";
import { HuskError } from "@husk/virtcontainers";

/** Refuses more processors than the machine has. @throws HuskError ERR_CONFIG_INVALID */
export function checkCpus(cpus: number | undefined): void {
  const most = availableParallelism();
  if (cpus === undefined || cpus <= most) return;
  throw new HuskError("ERR_CONFIG_INVALID", `cpus: ${cpus} are more than the ${most} that the machine has`);
}
