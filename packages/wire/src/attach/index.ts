/** The attach protocol: how `husk attach` speaks with the shim of a detached process, over a unix socket. */

export {
  type AttachEvent,
  AttachEventDecoder,
  type AttachHello,
  encodeExit,
  encodeHello,
  encodeOutput,
} from "./events.ts";
export { type ExitRecord, encodeExitRecord, parseExitRecord } from "./exit-record.ts";
export { MAX_ATTACH_OUTPUT_BYTES, MAX_ATTACH_PAYLOAD_BYTES } from "./limits.ts";
export { AttachProtocolError } from "./protocol-error.ts";
export {
  type AttachRequest,
  AttachRequestDecoder,
  encodeResize,
  encodeSignal,
  encodeStdin,
  encodeSubscribe,
} from "./requests.ts";
