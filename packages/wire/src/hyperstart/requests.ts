import { readContainerId, readProcessId } from "./identifiers.ts";
import { MAX_REQUEST_BYTES, MAX_SIGNAL, MAX_STREAM_SEQ } from "./limits.ts";
import { integer, optional, readBoolean, readPayload, required } from "./payload-reader.ts";
import type { Process, ProcessRequest } from "./process.ts";
import { processReader } from "./process.ts";

/** Payload of EXECCMD: `{"container": string, "process": Process}`. */
export interface ExecCommand {
  /** container to start it in; `"hyperstart"`: the agent's own namespaces */
  container: string;
  /** process to start */
  process: Process;
}

/** An {@link ExecCommand} as a host may write it. */
export type ExecRequest = Pick<ExecCommand, "container"> & { process: ProcessRequest };

/** Payload of KILLCONTAINER: `{"container": string, "signal": int, "allProcesses"?: bool}`. */
export interface KillContainer {
  /** container whose first process is meant */
  container: string;
  /** signal number, 0 to 64 */
  signal: number;
  /** whether all its processes are meant (Clear Containers) */
  allProcesses?: boolean;
}

/** Payload of SIGNALPROCESS: `{"container": string, "process": string, "signal": int}`. */
export interface SignalProcess {
  /** container of the process */
  container: string;
  /** process whose group is meant */
  process: string;
  /** signal number, 0 to 64 */
  signal: number;
}

/**
 * Payload of WINSIZE: `{"container": string, "process": string, "row": int, "column": int}`. Hosts of Clear Containers
 * name the process by its stream instead: `{"seq": u64, "row": int, "column": int}`.
 */
export type WindowSize = ({ container: string; process: string } | { seq: number }) & {
  /** height in characters */
  row: number;
  /** width in characters */
  column: number;
};

/** Payload of REMOVECONTAINER: `{"container": string}`. */
export interface RemoveContainer {
  /** container to forget */
  container: string;
}

const readExecProcess = processReader();
const readNamelessProcess = processReader((stdio) => String(stdio));
const readSignal = integer(0, MAX_SIGNAL);
const readSide = integer(0, 0xffff);

/**
 * The payload of EXECCMD.
 *
 * @param needsId false: a process without id is called by the number of its stream, as in Clear Containers
 * @throws PayloadError
 */
export function parseExecCommand(payload: Uint8Array, needsId = true): ExecCommand {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    process: required(from, "", "process", needsId ? readExecProcess : readNamelessProcess),
  };
}

/** The payload of KILLCONTAINER. @throws PayloadError */
export function parseKillContainer(payload: Uint8Array): KillContainer {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    signal: required(from, "", "signal", readSignal),
    ...optional(from, "", "allProcesses", readBoolean),
  };
}

/** The payload of SIGNALPROCESS. @throws PayloadError */
export function parseSignalProcess(payload: Uint8Array): SignalProcess {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    process: required(from, "", "process", readProcessId),
    signal: required(from, "", "signal", readSignal),
  };
}

/** The payload of WINSIZE. @throws PayloadError */
export function parseWindowSize(payload: Uint8Array): WindowSize {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  const { seq } = optional(from, "", "seq", integer(1, MAX_STREAM_SEQ));
  const process =
    seq === undefined
      ? {
          container: required(from, "", "container", readContainerId),
          process: required(from, "", "process", readProcessId),
        }
      : { seq };
  return {
    ...process,
    row: required(from, "", "row", readSide),
    column: required(from, "", "column", readSide),
  };
}

/** The payload of REMOVECONTAINER. @throws PayloadError */
export function parseRemoveContainer(payload: Uint8Array): RemoveContainer {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return { container: required(from, "", "container", readContainerId) };
}
