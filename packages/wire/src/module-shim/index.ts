/**
 * The container module and its shims: the two files between them (plan.json, state.json), the line in which a shim says how it
 * began, and the control protocol on its socket.
 *
 * Wire layout of the latter: u8 type, three bytes of zero, u32 big-endian payload length (at most 64 KiB), payload.
 *
 * | type | to the shim | payload                 | type | from the shim | payload                        |
 * | ---- | ----------- | ----------------------- | ---- | ------------- | ------------------------------ |
 * | 1    | call        | JSON with `method`      | 16   | state         | JSON as state.json             |
 * | 2    | stdin       | bytes; none: its end    | 17   | fault         | JSON: code, message            |
 * | 3    | signal      | u32 the signal's number | 18   | started       | JSON: pid                      |
 * | 4    | resize      | u16 rows, u16 columns   | 19   | stdout        | bytes                          |
 * |      |             |                         | 20   | stderr        | bytes                          |
 * |      |             |                         | 21   | exit          | JSON: exitCode or exitSignal … |
 */

export { MAX_ATTACH_PAYLOAD_BYTES as MAX_SHIM_PAYLOAD_BYTES } from "../attach/limits.ts";
export { AttachProtocolError as ShimProtocolError } from "../attach/protocol-error.ts";
export {
  type ExecExit,
  encodeExecExit,
  encodeExecOutput,
  encodeFault,
  encodeStarted,
  encodeStateEvent,
  MAX_EXEC_OUTPUT_BYTES,
  type ShimEvent,
  ShimEventDecoder,
  type ShimFault,
  type ShimFaultCode,
} from "./events.ts";
export {
  MAX_SHIM_PLAN_BYTES,
  MAX_SHIM_STATE_BYTES,
  MAX_SHIM_TEXT_BYTES,
  MAX_START_REPORT_BYTES,
  SHIM_FILE_VERSION,
} from "./limits.ts";
export {
  CONSOLE_PLACE,
  PID_FILE_PLACE,
  PROCESS_PLACE,
  parseShimPlan,
  type ShimLogPlan,
  type ShimPlan,
  type ShimRestartPlan,
  SIGNAL_PLACE,
} from "./plan.ts";
export {
  type ExecShimCall,
  type ExecUser,
  encodeExecResize,
  encodeExecSignal,
  encodeExecStdin,
  encodeShimCall,
  type ShimCall,
  type ShimCallInput,
  type ShimRequest,
  ShimRequestDecoder,
  type TerminalSize,
} from "./requests.ts";
export { encodeStartReport, parseStartReport, type StartFault, type StartReport } from "./start-report.ts";
export { encodeShimState, parseShimState, type ShimState, type ShimStateName } from "./state.ts";
