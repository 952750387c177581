/** The methods about the pod as a whole. Reference: virtcontainers.md 8.2. */

import type { AgentService } from "@husk/wire/kata";
import type { KataSandbox } from "./sandbox.ts";
import type { Methods } from "./services.ts";

export function sandboxMethods(sandbox: KataSandbox) {
  return {
    CreateSandbox: async (request) => {
      await sandbox.create(request);
      return {};
    },
    DestroySandbox: async () => {
      await sandbox.destroy();
      return {};
    },
  } satisfies Methods<typeof AgentService>;
}
