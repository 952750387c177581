/**
 * QMP, the protocol of QEMU's monitor, without I/O: bytes in, messages out, and back. Written against the
 * "QEMU Machine Protocol Specification" and QAPI of QEMU 7.2.
 *
 * @module
 */
export type {
  QmpBlockNode,
  QmpCommand,
  QmpCommandName,
  QmpCommands,
  QmpCpu,
  QmpCpuPlace,
  QmpDevice,
  QmpMemdev,
  QmpMemoryBackend,
  QmpMemoryDevice,
  QmpNetdev,
  QmpRawBlockdev,
  QmpRunState,
  QmpSocketChardev,
  QmpVersion,
} from "./commands.ts";
export { encodeQmpCommand } from "./commands.ts";
export type { QmpErrorCode } from "./decoder.ts";
export { MAX_QMP_MESSAGE_BYTES, QmpDecoder, QmpProtocolError } from "./decoder.ts";
export type { QmpEventName, QmpEvents } from "./events.ts";
export type { QmpEvent, QmpFailure, QmpGreeting, QmpMessage, QmpReturn } from "./message.ts";
export { isQmpEvent } from "./message.ts";
