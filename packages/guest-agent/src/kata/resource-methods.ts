/** What containers may use and have used, and stopping them for a while. Reference: virtcontainers.md 8.1, 8.2. */

import { errorText } from "@husk/tiny";
import type { AgentService, NetworkStats } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { LimitError } from "../core/cgroup/setting.ts";
import type { Container } from "../core/container.ts";
import type { OomEvents } from "../core/oom-events.ts";
import type { Methods } from "./services.ts";

/** What the methods work on. */
export interface ResourceContext {
  readonly oomEvents: OomEvents;
  /** A container by its id. @throws TtrpcError with NOT_FOUND */
  container(id: string): Container;
  /** traffic of the pod's network interfaces */
  interfaceStats(): MessageInit<NetworkStats>[] | Promise<MessageInit<NetworkStats>[]>;
}

function running(context: ResourceContext, id: string): Container {
  const container = context.container(id);
  if (container.running) return container;
  throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${id}" is not running`);
}

/** Gives a limit that cannot be the status that it has: the fault is the request's. */
function withStatus(task: () => void): void {
  try {
    task();
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    throw new TtrpcError(StatusCode.INVALID_ARGUMENT, errorText(error));
  }
}

/** See the head of the file. */
export function resourceMethods(context: ResourceContext) {
  return {
    UpdateContainer({ containerId, resources }) {
      const { cgroup } = running(context, containerId);
      if (!resources) throw new TtrpcError(StatusCode.INVALID_ARGUMENT, "UpdateContainer without resources");
      withStatus(() => cgroup.update(resources));
      return {};
    },

    async StatsContainer({ containerId }) {
      const { cgroup } = running(context, containerId);
      return { cgroupStats: cgroup.stats(), networkStats: await context.interfaceStats() };
    },

    async PauseContainer({ containerId }) {
      await running(context, containerId).cgroup.freeze();
      return {};
    },

    async ResumeContainer({ containerId }) {
      await running(context, containerId).cgroup.thaw();
      return {};
    },

    async GetOOMEvent(_request, { onAbandoned }) {
      return { containerId: await context.oomEvents.next(onAbandoned) };
    },
  } satisfies Methods<typeof AgentService>;
}
