import { readContainerId } from "../hyperstart/identifiers.ts";
import { MAX_PATH_BYTES } from "../hyperstart/limits.ts";
import type { JsonObject } from "../hyperstart/payload-reader.ts";
import {
  integer,
  listOf,
  nonEmpty,
  optional,
  optionalText,
  readBoolean,
  readObject,
  readPayload,
  required,
  text,
  withDefault,
} from "../hyperstart/payload-reader.ts";
import { MAX_COMMAND_BYTES, MAX_RESPONSE_BYTES, MAX_TEXT_BYTES, MAX_TOKENS } from "./limits.ts";
import { readToken } from "./token.ts";

/** Payload of AttachVM: `{"containerId": string, "numIOStreams"?: int}`, and husk's own `{"exits"?: bool}`. */
export interface AttachVm {
  /** the pod whose VM is meant */
  containerId: string;
  /** tokens wanted, one for each process to come */
  numIOStreams: number;
  /** whether this connection is told of the end of every process, by ProxyNotification.GUEST_EXIT */
  exits?: boolean;
}

/** Payload of RegisterVM: what AttachVM has, and `{"ctlSerial": path, "ioSerial": path, "console"?: path}`. */
export interface RegisterVm extends AttachVm {
  /** socket of the agent's control channel */
  ctlSerial: string;
  /** socket of the agent's stream channel */
  ioSerial: string;
  /** socket of the VM's console */
  console?: string;
}

/** Payload of UnregisterVM: `{"containerId": string}`. */
export type UnregisterVm = Pick<AttachVm, "containerId">;

/** Response to RegisterVM and AttachVM: `{"io": {"URL": string, "tokens": string[]}}`. */
export interface IoResponse {
  /** where shims find the proxy, `unix://…` */
  url: string;
  /** one for each process that was asked for */
  tokens: string[];
}

const readPath = nonEmpty(text(MAX_PATH_BYTES));
const readCount = integer(0, MAX_TOKENS);

/** The payload of RegisterVM. @throws PayloadError */
export function parseRegisterVm(payload: Uint8Array): RegisterVm {
  const from = readPayload(payload, MAX_COMMAND_BYTES);
  return {
    ...readAttachVm(from),
    ctlSerial: required(from, "", "ctlSerial", readPath),
    ioSerial: required(from, "", "ioSerial", readPath),
    ...optionalText(from, "", "console", readPath),
  };
}

/** The payload of AttachVM. @throws PayloadError */
export function parseAttachVm(payload: Uint8Array): AttachVm {
  return readAttachVm(readPayload(payload, MAX_COMMAND_BYTES));
}

function readAttachVm(from: JsonObject): AttachVm {
  return {
    containerId: required(from, "", "containerId", readContainerId),
    numIOStreams: withDefault(from, "", "numIOStreams", readCount, 0),
    ...optional(from, "", "exits", readBoolean),
  };
}

/** The payload of UnregisterVM. @throws PayloadError */
export function parseUnregisterVm(payload: Uint8Array): UnregisterVm {
  const from = readPayload(payload, MAX_COMMAND_BYTES);
  return { containerId: required(from, "", "containerId", readContainerId) };
}

/** A response with tokens; one for whom none were asked for may have nothing. The key is `URL`, though `url` is taken. */
export function encodeIoResponse({ url, tokens }: IoResponse): string {
  return JSON.stringify({ io: { URL: url, tokens } });
}

/** The response to RegisterVM and AttachVM. @throws PayloadError */
export function parseIoResponse(payload: Uint8Array): IoResponse {
  const io = required(readPayload(payload, MAX_RESPONSE_BYTES), "", "io", readObject);
  const { URL: url } = optional(io, "io", "URL", text(MAX_PATH_BYTES));
  return {
    url: url ?? required(io, "io", "url", text(MAX_PATH_BYTES)),
    tokens: withDefault(io, "io", "tokens", listOf(readToken), []),
  };
}

/** A response with the error flag: `{"msg": string}`. */
export function encodeErrorResponse(message: string): string {
  return JSON.stringify({ msg: message });
}

/** The text of a response with the error flag. @throws PayloadError */
export function parseErrorResponse(payload: Uint8Array): string {
  return required(readPayload(payload, MAX_RESPONSE_BYTES), "", "msg", text(MAX_TEXT_BYTES));
}
