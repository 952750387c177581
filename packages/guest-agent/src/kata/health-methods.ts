/** Whether the agent lives, and what it is. */
import { type Health, HealthCheckResponse_ServingStatus } from "@husk/wire/kata";
import { AGENT_VERSION } from "../version.ts";
import type { Methods } from "./services.ts";

/** Version of the API, which all agents of Kata say they have. */
const API_VERSION = "0.0.1";

export const healthMethods: Methods<typeof Health> = {
  Check: () => ({ status: HealthCheckResponse_ServingStatus.SERVING }),
  Version: () => ({ grpcVersion: API_VERSION, agentVersion: AGENT_VERSION }),
};
