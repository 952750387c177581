/** What a container of the OCI specification may use from the beginning. */

import { readText } from "@husk/tiny";
import type { Linux, LinuxDevice, LinuxDeviceCgroup, LinuxPids } from "@husk/wire/kata";
import type { Cgroup } from "./cgroup.ts";

/** What containers may have of the guest's processes when nobody says how many: none takes the last from the others. */
const SHARE_OF_PROCESSES = 0.75;

/** Files that say how many processes and threads the guest can have. */
const BOUNDS = ["/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max"];

function processLimit(): LinuxPids {
  const most = Math.min(...BOUNDS.map((path) => Number(readText(path))));
  return { Limit: BigInt(Math.floor(most * SHARE_OF_PROCESSES)) };
}

/** A host that names devices and leaves out their rules means that they may be used. */
function allow({ Type, Major, Minor }: LinuxDevice): LinuxDeviceCgroup[] {
  // "u" is another word for characters; a pipe is no device.
  const kind = Type === "u" ? "c" : Type;
  return kind === "c" || kind === "b" ? [{ Allow: true, Type: kind, Major, Minor, Access: "rwm" }] : [];
}

/** Sets all its limits, before anything runs in it. @throws LimitError */
export function limitContainer(
  cgroup: Cgroup,
  { Resources, Devices }: Pick<Linux, "Resources" | "Devices">,
): void {
  const limits = Resources ?? { Devices: [], HugepageLimits: [] };
  const { Pids } = limits;
  const bounded = cgroup.counts("pids") && !Pids?.Limit;
  cgroup.limit(bounded ? { ...limits, Pids: processLimit() } : limits);
  cgroup.limitDevices(limits.Devices.length > 0 ? limits.Devices : Devices.flatMap(allow));
}
