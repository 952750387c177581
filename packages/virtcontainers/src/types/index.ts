export type * from "./config.ts";
export type * from "./handles.ts";
export * from "./kinds.ts";
export type * from "./options.ts";
