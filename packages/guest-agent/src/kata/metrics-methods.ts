/** Figures for Prometheus. Reference: virtcontainers.md 8.3. */

import type { AgentService } from "@husk/wire/kata";
import { readAgentMetrics } from "../core/metrics/agent-metrics.ts";
import { readGuestMetrics } from "../core/metrics/guest-metrics.ts";
import { writeMetrics } from "../core/metrics/metric-text.ts";
import type { Methods } from "./services.ts";

export const metricsMethods: Methods<typeof AgentService> = {
  GetMetrics: () => ({ metrics: writeMetrics([...readAgentMetrics(), ...readGuestMetrics()]) }),
};
