/**
 * hyperstart's protocol, dialect H (API 4244) and what its dialects C2 and C3 add, without I/O: two byte streams in, messages out, and back.
 * Runs in Node and in QuickJS.
 *
 * @module
 */
export { API_VERSION, Command, commandName, hostCommandName, PSCONTAINER } from "./commands.ts";
export type {
  Constraints,
  Container,
  ContainerRequest,
  Device,
  Fsmap,
  Mount,
  Port,
  Volume,
} from "./container.ts";
export { parseNewContainer } from "./container.ts";
export type { ControlFrame } from "./control-frame.ts";
export { ControlDecoder, encodeControl } from "./control-frame.ts";
export { decodeNext, decodeVersion, encodeNext, encodeVersion } from "./counts.ts";
export type { DialectName } from "./dialect.ts";
export { recognizeDialect } from "./dialect.ts";
export { decodeErrorText } from "./error-text.ts";
export type { FileRequest, WriteFile } from "./file-request.ts";
export { encodeWriteFile, parseReadFile, parseWriteFile } from "./file-request.ts";
export type { FrameErrorCode } from "./frame-error.ts";
export { FrameError } from "./frame-error.ts";
export * from "./limits.ts";
export type {
  Interface,
  InterfaceRequest,
  IpAddress,
  Neighbor,
  PortmappingWhiteList,
  Route,
} from "./network.ts";
export { parseInterface, parseRoutes } from "./network.ts";
export { PayloadError } from "./payload-error.ts";
export type { Pod, PodRequest } from "./pod.ts";
export { parsePod } from "./pod.ts";
export type { Capabilities, EnvVar, Process, ProcessRequest, Rlimit } from "./process.ts";
export { RLIMIT_UNLIMITED } from "./process.ts";
export type { ProcessAsyncEvent } from "./process-event.ts";
export { encodeProcessAsyncEvent, parseProcessAsyncEvent } from "./process-event.ts";
export type { ProcessList } from "./process-list.ts";
export { parseListedPids, parseProcessList } from "./process-list.ts";
export type { Renewal } from "./renewal.ts";
export { CLEARPOD, parseRenewal, RENEW } from "./renewal.ts";
export type {
  ExecCommand,
  ExecRequest,
  KillContainer,
  RemoveContainer,
  SignalProcess,
  WindowSize,
} from "./requests.ts";
export {
  parseExecCommand,
  parseKillContainer,
  parseRemoveContainer,
  parseSignalProcess,
  parseWindowSize,
} from "./requests.ts";
export type { ControlPrefix } from "./resync.ts";
export {
  ControlResync,
  MARKER_RANDOM_BYTES,
  makeStreamMarker,
  RESYNC_RANDOM_BYTES,
  StreamResync,
} from "./resync.ts";
export type { StreamFrame } from "./stream-frame.ts";
export { encodeStream, StreamDecoder, writeStreamHeader } from "./stream-frame.ts";
export { type PieceSink, StreamPieces } from "./stream-pieces.ts";
export { StreamSalvage } from "./stream-salvage.ts";
