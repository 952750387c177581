// Made from proto/health.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";

export type HealthCheckResponse_ServingStatus = number;
export const HealthCheckResponse_ServingStatus = {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
} as const;

export interface CheckRequest extends Message {
  /** name of a service, or "" for all; agents do not look at it */
  service: string;
}
export const CheckRequest: MessageType<CheckRequest> = /* @__PURE__ */ messageType(
  "grpc.CheckRequest",
  "1s service",
);

export interface HealthCheckResponse extends Message {
  status: HealthCheckResponse_ServingStatus;
}
export const HealthCheckResponse: MessageType<HealthCheckResponse> = /* @__PURE__ */ messageType(
  "grpc.HealthCheckResponse",
  "1i status",
);

export interface VersionCheckResponse extends Message {
  /** version of the API: "0.0.1" */
  grpcVersion: string;
  /** version of the agent, a semantic version */
  agentVersion: string;
}
export const VersionCheckResponse: MessageType<VersionCheckResponse> = /* @__PURE__ */ messageType(
  "grpc.VersionCheckResponse",
  "1s grpcVersion 2s agentVersion",
);
