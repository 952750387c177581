import { Command } from "../hyperstart/commands.ts";
import { readContainerId, readProcessId } from "../hyperstart/identifiers.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import type { JsonObject } from "../hyperstart/payload-reader.ts";
import {
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
import { RENEW } from "../hyperstart/renewal.ts";
import { MAX_COMMAND_BYTES, MAX_HYPER_NAME_BYTES } from "./limits.ts";
import { readToken } from "./token.ts";

/** Payload of Hyper: `{"hyperName": string, "tokens"?: string[], "data"?: object}`. */
export interface HyperRequest {
  /** the agent's command, see {@link commandOfHyperName} */
  hyperName: string;
  /** whose process a NEWCONTAINER or EXECCMD makes: one token at most; of any other command none */
  tokens: string[];
  /** the command's own payload; missing: none */
  data?: JsonObject;
}

/** A {@link HyperRequest} as a client may write it. */
export type HyperRequestInput = Pick<HyperRequest, "hyperName"> & { tokens?: string[]; data?: object };

/** A process that a NEWCONTAINER or EXECCMD makes, as far as the proxy must know it. */
export interface RequestedProcess {
  /** container that it begins, or joins */
  container: string;
  /** its id; missing: it is known by its streams (Clear Containers) */
  id?: string;
  terminal: boolean;
}

/** Names that are not an agent's command in lower case. */
const OTHER_NAMES: readonly [name: string, code: number][] = [
  ["version", Command.GETVERSION],
  ["finishpod", Command.PODFINISHED],
  ["pscontainer", Command.PROCESSASYNCEVENT],
  // Ours alone.
  ["renew", RENEW],
];

const CODES = new Map<string, number>([
  ...Object.entries(Command).map(([name, code]): [string, number] => [name.toLowerCase(), code]),
  ...OTHER_NAMES,
]);

/** The code of an agent's command by the name that clients of the proxy give it; undefined for an unknown name. */
export function commandOfHyperName(name: string): number | undefined {
  return CODES.get(name);
}

/** The payload of Hyper. @throws PayloadError */
export function parseHyperRequest(payload: Uint8Array): HyperRequest {
  const from = readPayload(payload, MAX_COMMAND_BYTES);
  return {
    hyperName: required(from, "", "hyperName", nonEmpty(text(MAX_HYPER_NAME_BYTES))),
    tokens: withDefault(from, "", "tokens", listOf(readToken), []),
    ...optional(from, "", "data", readObject),
  };
}

/**
 * The process that a command makes; undefined when it makes none.
 * @throws PayloadError also when it comes with stream numbers: those are the proxy's to give
 */
export function readRequestedProcess(command: number, data: JsonObject = {}): RequestedProcess | undefined {
  if (command !== Command.NEWCONTAINER && command !== Command.EXECCMD) return undefined;
  const process = required(data, "data", "process", readObject);
  for (const key of ["stdio", "stderr"]) {
    if ((process[key] ?? 0) !== 0)
      throw new PayloadError(`data.process.${key}`, "must be 0, as the proxy chooses it");
  }
  const key = command === Command.NEWCONTAINER ? "id" : "container";
  return {
    container: required(data, "data", key, readContainerId),
    ...optionalText(process, "data.process", "id", readProcessId),
    terminal: withDefault(process, "data.process", "terminal", readBoolean, false),
  };
}

/** The same request with the numbers of its process's streams; `stderr` 0: none. They go first, where every agent reads them. */
export function withStreams(data: JsonObject, stdio: number, stderr: number): JsonObject {
  const { stdio: _stdio, stderr: _stderr, ...process } = readObject(data.process, "data.process");
  return { ...data, process: { stdio, ...(stderr === 0 ? {} : { stderr }), ...process } };
}
