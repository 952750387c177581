/**
 * cc-proxy's protocol, version 2, without I/O: what Clear Containers' proxy, its shims and virtcontainers say to one another,
 * and what husk adds to it. Runs in Node and in QuickJS.
 *
 * @module
 */
export type { ProxyFrame, ProxyFrameKind, ProxySide } from "./frame.ts";
export { encodeProxyFrame, ProxyDecoder, writeProxyHeader } from "./frame.ts";
export {
  FrameType,
  ProxyCommand,
  ProxyNotification,
  ProxyStream,
  proxyCommandName,
} from "./frame-kinds.ts";
export type { HyperRequest, HyperRequestInput, RequestedProcess } from "./hyper-request.ts";
export { commandOfHyperName, parseHyperRequest, readRequestedProcess, withStreams } from "./hyper-request.ts";
export * from "./limits.ts";
export { encodeFirstProxyState, PROXY_STATE_VERSION, type ProxyVm } from "./proxy-state.ts";
export type { ConnectShim, LogEntry, ShimSignal, StreamPositions } from "./shim-messages.ts";
export {
  decodeAcknowledge,
  decodeProcessExited,
  encodeAcknowledge,
  encodeConnectShimResponse,
  parseConnectShim,
  parseConnectShimResponse,
  parseLogEntry,
  parseShimSignal,
  SIGWINCH,
} from "./shim-messages.ts";
export { encodeToken, isToken, TOKEN_BYTES } from "./token.ts";
export type { AttachVm, IoResponse, RegisterVm, UnregisterVm } from "./vm-requests.ts";
export {
  encodeErrorResponse,
  encodeIoResponse,
  parseAttachVm,
  parseErrorResponse,
  parseIoResponse,
  parseRegisterVm,
  parseUnregisterVm,
} from "./vm-requests.ts";
