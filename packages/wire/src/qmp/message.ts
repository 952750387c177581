import type { QmpVersion } from "./commands.ts";
import type { QmpEventName, QmpEvents } from "./events.ts";
import { findWrongEventKey } from "./events.ts";

/** First message of every connection: `{"QMP": {"version": …, "capabilities": […]}}`. */
export interface QmpGreeting {
  kind: "greeting";
  /** version of QEMU */
  version: QmpVersion;
  /** capabilities that may be enabled, `"oob"` */
  capabilities: string[];
}

/** A command's success: `{"return": …, "id": …}`. */
export interface QmpReturn {
  kind: "return";
  /** id of the command, absent when it had none */
  id?: number;
  /** what the command gives, unchecked; see QmpCommands */
  value: unknown;
}

/** A command's failure: `{"error": {"class": …, "desc": …}, "id": …}`. */
export interface QmpFailure {
  kind: "error";
  /** id of the command, absent when QEMU could not even read it */
  id?: number;
  /** class, nearly always `"GenericError"` */
  errorClass: string;
  /** QEMU's own words */
  description: string;
}

/** Something that happened: `{"event": …, "data": …, "timestamp": {"seconds": …, "microseconds": …}}`. */
export interface QmpEvent<Name extends string = string> {
  kind: "event";
  /** name, known or not */
  event: Name;
  /** details; of the type QmpEvents says for the known names */
  data: Name extends QmpEventName ? QmpEvents[Name] : { readonly [key: string]: unknown };
  /** host time in milliseconds since 1970, absent when QEMU could not tell */
  timeMs?: number;
}

/** Whatever QEMU says. */
export type QmpMessage = QmpGreeting | QmpReturn | QmpFailure | QmpEvent;

/** Whether a message is the event of that name; its data then have been checked. */
export function isQmpEvent<Name extends QmpEventName>(
  message: QmpMessage,
  name: Name,
): message is QmpMessage & QmpEvent<Name> {
  return message.kind === "event" && message.event === name;
}

type JsonObject = { readonly [key: string]: unknown };

/** The message one parsed JSON text means, or a text telling what is wrong with it. */
export function readMessage(json: unknown): QmpMessage | string {
  if (!isObject(json)) return "it is not an object";
  if (Object.hasOwn(json, "event")) return readEvent(json);
  if (Object.hasOwn(json, "return")) return { kind: "return", ...readId(json), value: json.return };
  if (Object.hasOwn(json, "error")) return readFailure(json);
  if (Object.hasOwn(json, "QMP")) return readGreeting(json.QMP);
  return "it is no greeting, return, error or event";
}

function readEvent(json: JsonObject): QmpEvent | string {
  const { event, data = {}, timestamp } = json;
  if (typeof event !== "string" || !isObject(data)) return "the event has no name or its data are no object";
  const wrong = findWrongEventKey(event, data);
  if (wrong !== undefined) return `the event's data lack a proper "${wrong}"`;
  return { kind: "event", event, data, ...readTime(timestamp) };
}

function readTime(timestamp: unknown): { timeMs?: number } {
  if (!isObject(timestamp)) return {};
  const { seconds, microseconds } = timestamp;
  // QEMU says -1 for both when its clock fails.
  if (!isCount(seconds) || !isCount(microseconds)) return {};
  return { timeMs: seconds * 1000 + Math.floor(microseconds / 1000) };
}

function readFailure(json: JsonObject): QmpFailure | string {
  const { error } = json;
  if (!isObject(error) || typeof error.class !== "string" || typeof error.desc !== "string") {
    return "the error has no class or description";
  }
  return { kind: "error", ...readId(json), errorClass: error.class, description: error.desc };
}

function readGreeting(greeting: unknown): QmpGreeting | string {
  if (!isObject(greeting) || !isObject(greeting.version) || !isObject(greeting.version.qemu)) {
    return "the greeting has no version";
  }
  const { major, minor, micro } = greeting.version.qemu;
  if (!isCount(major) || !isCount(minor) || !isCount(micro)) return "the greeting has no proper version";
  const { capabilities } = greeting;
  const named = greeting.version.package;
  return {
    kind: "greeting",
    version: { qemu: { major, minor, micro }, package: typeof named === "string" ? named : "" },
    capabilities: Array.isArray(capabilities) ? capabilities.filter((name) => typeof name === "string") : [],
  };
}

/** Ids are numbers, as we send no others; any other one is as good as none. */
function readId(json: JsonObject): { id?: number } {
  return isCount(json.id) ? { id: json.id } : {};
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
