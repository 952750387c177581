/** The limits that the hyperstart door knows, as those of the OCI specification. */

import type { Constraints } from "@husk/wire/hyperstart";
import type { LinuxResources } from "@husk/wire/kata";

/** See the head of the file. A period says nothing without a quota. */
export function constrainedResources({ CPUQuota, CPUPeriod, CPUShares }: Constraints): LinuxResources {
  const hasQuota = CPUQuota > 0;
  return {
    CPU: {
      Shares: BigInt(CPUShares),
      Quota: BigInt(hasQuota ? CPUQuota : 0),
      Period: BigInt(hasQuota ? CPUPeriod : 0),
      RealtimeRuntime: 0n,
      RealtimePeriod: 0n,
      Cpus: "",
      Mems: "",
    },
    Devices: [],
    HugepageLimits: [],
  };
}
