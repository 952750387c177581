export type * from "./container-config.ts";
export type * from "./handles.ts";
export type * from "./hypervisor-config.ts";
export * from "./kinds.ts";
export type * from "./network-config.ts";
export type * from "./network-status.ts";
export type * from "./options.ts";
export type * from "./pod-config.ts";
