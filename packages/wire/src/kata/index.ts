/**
 * The Kata Containers agent's API, as of Kata 4.x and with ListProcesses of 1.x: messages and services, made from the
 * files in `proto/`. To be sent by ttRPC, or to a Kata 1.x agent by gRPC. Runs in Node and in QuickJS.
 *
 * @module
 */
export * from "./messages/agent.ts";
export * from "./messages/cache.ts";
export * from "./messages/csi.ts";
export * from "./messages/empty.ts";
export * from "./messages/health.ts";
export * from "./messages/oci.ts";
export * from "./messages/services.ts";
export * from "./messages/types.ts";
export * from "./new-host.ts";
export * from "./take-over.ts";
