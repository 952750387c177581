import { messageOf } from "@husk/virtcontainers/internals";
import { checkTerminalSize } from "../module/call-rules.ts";
import type { TerminalSize } from "../types.ts";
import { ServiceProtocolError } from "./protocol-error.ts";

/** Longest line that the service takes, in bytes. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Longest line that a client takes, in bytes: all containers of a machine are one. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Number that a client gives a call; its answers carry it. */
type CallId = number;

/** What a client says. */
export type ClientMessage =
  /** begins a call */
  | { readonly kind: "call"; readonly id: CallId; readonly method: string; readonly params: unknown }
  /** ends a call before it is done: its answer is ERR_ABORTED, or what it has come to */
  | { readonly kind: "cancel"; readonly id: CallId }
  /** size of the terminal of the process that the call runs */
  | { readonly kind: "resize"; readonly id: CallId; readonly size: TerminalSize }
  /** input of the process that the call runs; none: its end */
  | { readonly kind: "input"; readonly id: CallId; readonly data: Uint8Array | undefined };

/** What an error is told as. */
export interface WireError {
  /** a code of the catalogue, or ERR_INTERNAL */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** container concerned */
  readonly containerId?: string | undefined;
}

/** Where output comes from: a process's streams, or a log, which has both in one. */
export type OutputName = "stdout" | "stderr";

/** What the service says. */
export type ServiceMessage =
  /** ends a call */
  | { readonly kind: "result"; readonly id: CallId; readonly result: unknown }
  /** ends a call; without an id: the connection */
  | { readonly kind: "error"; readonly id: CallId | undefined; readonly error: WireError }
  /** what the call is about has begun: of `exec`, the program */
  | { readonly kind: "started"; readonly id: CallId }
  /** output of a call that goes on */
  | {
      readonly kind: "output";
      readonly id: CallId;
      readonly stream: OutputName;
      readonly data: Uint8Array;
    }
  /** bytes of input that have been passed on */
  | { readonly kind: "taken"; readonly id: CallId; readonly bytes: number };

type Json = Readonly<Record<string, unknown>>;

/** @throws ServiceProtocolError */
export function parseClientMessage(line: string): ClientMessage {
  const message = parseObject(line);
  const id = readId(message.id);
  if ("method" in message) {
    const { method, params = {} } = message;
    if (typeof method !== "string") throw new ServiceProtocolError("a method is not a text");
    return { kind: "call", id, method, params };
  }
  if (message.cancel === true) return { kind: "cancel", id };
  if ("input" in message) return { kind: "input", id, data: readInput(message.input) };
  if ("resize" in message) return { kind: "resize", id, size: readSize(message.resize) };
  throw new ServiceProtocolError("a message has neither method, cancel, input nor resize");
}

/** @throws ServiceProtocolError */
export function parseServiceMessage(line: string): ServiceMessage {
  const message = parseObject(line);
  if ("error" in message) {
    const id = message.id === undefined ? undefined : readId(message.id);
    return { kind: "error", id, error: readError(message.error) };
  }
  const id = readId(message.id);
  if ("output" in message) {
    return { kind: "output", id, stream: readStream(message.stream), data: readBase64(message.output) };
  }
  if (message.started === true) return { kind: "started", id };
  if ("taken" in message) return { kind: "taken", id, bytes: readCount(message.taken, "taken") };
  if ("result" in message) return { kind: "result", id, result: message.result };
  throw new ServiceProtocolError("a message has neither result, error, started, output nor taken");
}

/** A message as a line. */
export function encodeClientMessage(message: ClientMessage): string {
  const { kind, id } = message;
  if (kind === "cancel") return toLine({ id, cancel: true });
  if (kind === "resize") return toLine({ id, resize: message.size });
  if (kind === "input") return toLine({ id, input: message.data ? toBase64(message.data) : null });
  return toLine({ id, method: message.method, params: message.params });
}

/** A message as a line. */
export function encodeServiceMessage(message: ServiceMessage): string {
  const { kind, id } = message;
  if (kind === "output") return toLine({ id, stream: message.stream, output: toBase64(message.data) });
  if (kind === "started") return toLine({ id, started: true });
  if (kind === "taken") return toLine({ id, taken: message.bytes });
  if (kind === "error") return toLine({ id, error: message.error });
  return toLine({ id, result: message.result ?? null });
}

function toLine(message: Json): string {
  return `${JSON.stringify(message)}\n`;
}

function toBase64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
}

function parseObject(line: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ServiceProtocolError(`a line is no JSON: ${JSON.stringify(line.slice(0, 80))}`);
  }
  return readObject(value, "a message");
}

function readObject(value: unknown, what: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new ServiceProtocolError(`${what} is no object`);
}

function readId(value: unknown): CallId {
  return readCount(value, "id");
}

function readCount(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ServiceProtocolError(`${name} is no whole number from 0 to 2^53 - 1`);
}

function readSize(value: unknown): TerminalSize {
  const size = readObject(value, "a size");
  try {
    checkTerminalSize(size, "resize");
  } catch (error) {
    throw new ServiceProtocolError(messageOf(error));
  }
  return size as unknown as TerminalSize;
}

function readInput(value: unknown): Uint8Array | undefined {
  return value === null ? undefined : readBase64(value);
}

function readBase64(value: unknown): Uint8Array {
  if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
    throw new ServiceProtocolError("data is no base64");
  }
  return new Uint8Array(Buffer.from(value, "base64"));
}

function readStream(value: unknown): OutputName {
  if (value === "stdout" || value === "stderr") return value;
  throw new ServiceProtocolError("stream is neither stdout nor stderr");
}

function readError(value: unknown): WireError {
  const { code, message, hint, containerId } = readObject(value, "an error");
  if (typeof code !== "string" || typeof message !== "string")
    throw new ServiceProtocolError("an error lacks its code or message");
  return { code, message, hint: optionalText(hint), containerId: optionalText(containerId) };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
