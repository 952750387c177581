/** All that the Kata door serves, put together. A method is in the file of what it is about. */

import { AgentService, Health } from "@husk/wire/kata";
import { containerMethods } from "./container-methods.ts";
import { fileMethods } from "./file-methods.ts";
import { healthMethods } from "./health-methods.ts";
import { machineMethods } from "./machine-methods.ts";
import { metricsMethods } from "./metrics-methods.ts";
import { networkMethods } from "./network-methods.ts";
import type { KataServices } from "./pipe-tail.ts";
import { processMethods } from "./process-methods.ts";
import { resourceMethods } from "./resource-methods.ts";
import { KataSandbox } from "./sandbox.ts";
import { sandboxMethods } from "./sandbox-methods.ts";
import { makeService } from "./services.ts";

/** The services of this agent. One for all connections: they work on the same pod. */
export function makeServices(): KataServices {
  const sandbox = new KataSandbox();
  const methods = {
    ...sandboxMethods(sandbox),
    ...containerMethods(sandbox),
    ...processMethods(sandbox),
    ...resourceMethods(sandbox),
    ...machineMethods,
    ...fileMethods,
    ...metricsMethods,
    ...networkMethods,
  };
  return new Map([
    [AgentService.name, makeService(AgentService, methods)],
    [Health.name, makeService(Health, healthMethods)],
  ]);
}
