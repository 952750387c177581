/** The methods about containers. Reference: virtcontainers.md 8.2. */

import type { AgentService } from "@husk/wire/kata";
import { quote, specFault } from "../core/oci/spec-fault.ts";
import { listPids, tabulateProcesses } from "../core/process-list.ts";
import type { KataSandbox } from "./sandbox.ts";
import type { Methods } from "./services.ts";

export function containerMethods(sandbox: KataSandbox) {
  return {
    CreateContainer: async (request) => {
      await sandbox.createContainer(request);
      return {};
    },
    StartContainer: async ({ containerId }) => {
      await sandbox.container(containerId).start();
      return {};
    },
    RemoveContainer: async ({ containerId, timeout }) => {
      await sandbox.removeContainer(containerId, timeout);
      return {};
    },
    ListProcesses: async ({ containerId, format, args }) => {
      const container = sandbox.runningContainer(containerId);
      const pids = container.pids();
      if (format === "json") return { processList: await listPids(pids) };
      if (format === "table") return { processList: await tabulateProcesses(pids, args, container) };
      throw specFault(`format ${quote(format)} is neither "json" nor "table"`);
    },
  } satisfies Methods<typeof AgentService>;
}
