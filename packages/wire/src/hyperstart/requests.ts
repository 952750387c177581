import { readContainerId, readProcessId } from "./identifiers.ts";
import { MAX_REQUEST_BYTES, MAX_SIGNAL } from "./limits.ts";
import { integer, readPayload, required } from "./payload-reader.ts";
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

/** Payload of KILLCONTAINER: `{"container": string, "signal": int}`. */
export interface KillContainer {
  /** container whose first process is meant */
  container: string;
  /** signal number, 0 to 64 */
  signal: number;
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

/** Payload of WINSIZE: `{"container": string, "process": string, "row": int, "column": int}`. */
export interface WindowSize {
  /** container of the process */
  container: string;
  /** process whose terminal is meant */
  process: string;
  /** height in characters */
  row: number;
  /** width in characters */
  column: number;
}

/** Payload of REMOVECONTAINER: `{"container": string}`. */
export interface RemoveContainer {
  /** container to forget */
  container: string;
}

/**
 * Payload of READFILE, and first part of WRITEFILE's: `{"container": string, "file": string}`. In WRITEFILE the
 * JSON ends at its first `}` byte, so neither may contain one, and the file's raw bytes follow at once.
 */
export interface FileRequest {
  /** container in whose mount namespace the file is */
  container: string;
  /** absolute path of the file */
  file: string;
}

const readExecProcess = processReader();
const readSignal = integer(0, MAX_SIGNAL);
const readSide = integer(0, 0xffff);

/** The payload of EXECCMD. @throws PayloadError */
export function parseExecCommand(payload: Uint8Array): ExecCommand {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    process: required(from, "", "process", readExecProcess),
  };
}

/** The payload of KILLCONTAINER. @throws PayloadError */
export function parseKillContainer(payload: Uint8Array): KillContainer {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    container: required(from, "", "container", readContainerId),
    signal: required(from, "", "signal", readSignal),
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
  return {
    container: required(from, "", "container", readContainerId),
    process: required(from, "", "process", readProcessId),
    row: required(from, "", "row", readSide),
    column: required(from, "", "column", readSide),
  };
}

/** The payload of REMOVECONTAINER. @throws PayloadError */
export function parseRemoveContainer(payload: Uint8Array): RemoveContainer {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return { container: required(from, "", "container", readContainerId) };
}
