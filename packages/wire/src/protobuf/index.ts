/**
 * Protocol Buffers, as far as proto3 messages of strings, bytes, varints, lists and maps need them, without I/O.
 * Runs in Node and in QuickJS.
 *
 * @module
 */
export { decodeMessage, MAX_ELEMENTS } from "./decode.ts";
export { encodeBytesHead, encodeMessage } from "./encode.ts";
export type { Message, MessageInit, MessageType } from "./message-type.ts";
export { messageType } from "./message-type.ts";
export type { ProtobufErrorCode } from "./protobuf-error.ts";
export { ProtobufError } from "./protobuf-error.ts";
export type {
  Method,
  MethodName,
  RequestInitOf,
  RequestOf,
  ResponseInitOf,
  ResponseOf,
  Service,
} from "./service.ts";
export { findMethod } from "./service.ts";
