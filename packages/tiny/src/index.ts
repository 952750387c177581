/** TypeScript as a static Linux program: what a program may use. The system calls themselves are `tiny:sys`. */
export * from "./children.ts";
export { timeNow } from "./clock.ts";
export { Connection, type ConnectionHandlers } from "./connection.ts";
export * from "./constants.ts";
export * from "./detached.ts";
export * from "./errors.ts";
export * from "./files.ts";
export { describeFlags, type Flag, Flags, type FlagTable, UsageError } from "./flags.ts";
export * from "./locks.ts";
export * from "./loop.ts";
export * from "./output.ts";
export * from "./pty.ts";
export * from "./signals.ts";
export * from "./socket.ts";
export * from "./terminal.ts";
