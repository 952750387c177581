/**
 * yamux, version 0, without I/O: many streams on one connection, each with its window. Client and server.
 * Runs in Node and in QuickJS.
 *
 * @module
 */
export type { YamuxEvent } from "./events.ts";
export type { Sink } from "./outlet.ts";
export { SendQueue } from "./send-queue.ts";
export type { YamuxOptions } from "./session.ts";
export { YamuxSession } from "./session.ts";
export type { YamuxStream } from "./stream.ts";
export type { YamuxErrorCode } from "./yamux-error.ts";
export { YamuxError } from "./yamux-error.ts";
