/** What containers may use and have used, and stopping them for a while. Reference: virtcontainers.md 8.1, 8.2. */

import type { AgentService } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { LimitError } from "../core/cgroup/setting.ts";
import { interfaceStats } from "../core/network/interface-stats.ts";
import { specFault } from "../core/oci/spec-fault.ts";
import type { KataSandbox } from "./sandbox.ts";
import type { Methods } from "./services.ts";

/** Gives a limit that cannot be the status that it has: the fault is the request's. */
function withStatus(task: () => void): void {
  try {
    task();
  } catch (error) {
    throw error instanceof LimitError ? specFault(error.message) : error;
  }
}

export function resourceMethods(sandbox: KataSandbox) {
  return {
    UpdateContainer: ({ containerId, resources }) => {
      const { cgroup } = sandbox.runningContainer(containerId);
      if (!resources) throw specFault("the request has no resources");
      withStatus(() => cgroup.update(resources));
      return {};
    },
    StatsContainer: ({ containerId }) => {
      const { cgroup } = sandbox.runningContainer(containerId);
      return { cgroupStats: cgroup.stats(), networkStats: interfaceStats() };
    },
    PauseContainer: async ({ containerId }) => {
      const { cgroup, init } = sandbox.runningContainer(containerId);
      // The agent would wait for ever for one that it stops before it has become its program.
      if (init.held)
        throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${containerId}" is not started`);
      await cgroup.freeze();
      return {};
    },
    ResumeContainer: async ({ containerId }) => {
      await sandbox.runningContainer(containerId).cgroup.thaw();
      return {};
    },
    GetOOMEvent: async (_, { onAbandoned }) => ({ containerId: await sandbox.oomEvents.next(onAbandoned) }),
  } satisfies Methods<typeof AgentService>;
}
