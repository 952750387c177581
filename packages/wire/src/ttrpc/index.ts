/**
 * ttrpc's unary calls, without I/O: a client and a server, over any stream of bytes. Runs in Node and in QuickJS.
 *
 * @module
 */
export type { CallOptions, OnAnswer } from "./client.ts";
export { TtrpcClient } from "./client.ts";
export { MAX_MESSAGE_BYTES } from "./limits.ts";
export { TtrpcProtocolError } from "./protocol-error.ts";
export type { Metadata, TtrpcRequest } from "./request.ts";
export type { TtrpcResponse } from "./response.ts";
export type { TtrpcAnswer, TtrpcCall, TtrpcHandler, TtrpcServices } from "./server.ts";
export { TtrpcServer } from "./server.ts";
export type { Status } from "./status.ts";
export { StatusCode, statusName, TtrpcError } from "./status.ts";
export type { Tail, TailedAnswer } from "./tail.ts";
