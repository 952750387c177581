import { CLEARPOD, RENEW } from "./renewal.ts";

/** API number a hyperstart agent of dialect H answers to GETVERSION (hyperstart `api.h`). */
export const API_VERSION = 4244;

/**
 * Command codes of the hyperstart control channel, dialect H (API 4244).
 *
 * The host's commands are each answered by exactly one ACK or ERROR, in order. A command without payload
 * may carry nothing, `null`, `{}` or `""`: all four are in use by hosts.
 */
export const Command = {
  /** Host → guest, no payload. ACK carries the API number, see {@link encodeVersion}. */
  GETVERSION: 0,
  /** Host → guest, JSON {@link Pod}: prepares the sandbox. */
  STARTPOD: 1,
  /** Never implemented; answered ERROR. */
  GETPOD: 2,
  /** Never implemented; answered ERROR. */
  STOPPOD: 3,
  /** Host → guest, no payload: ends all containers, ACK, then the VM powers off. */
  DESTROYPOD: 4,
  /** Never implemented; answered ERROR. */
  RESTARTCONTAINER: 5,
  /** Host → guest, JSON {@link ExecCommand}: starts one more process in a container. */
  EXECCMD: 6,
  /** Never implemented; answered ERROR. */
  CMDFINISHED: 7,
  /** Guest → host, once, no payload: the agent serves. Host → guest: rescan the PCI bus. */
  READY: 8,
  /** Guest → host: success; payload as the command defines, mostly none. */
  ACK: 9,
  /** Guest → host: failure; payload is a text for humans, or none. */
  ERROR: 10,
  /** Host → guest, JSON {@link WindowSize}. */
  WINSIZE: 11,
  /** Host → guest, no payload. */
  PING: 12,
  /** Removed from the protocol in 2016; answered ERROR. */
  PODFINISHED: 13,
  /** Guest → host, count of control bytes just consumed, see {@link encodeNext}. Flow control. */
  NEXT: 14,
  /** Host → guest, JSON {@link FileRequest} directly followed by the file's bytes. */
  WRITEFILE: 15,
  /** Host → guest, JSON {@link FileRequest}. ACK carries the file's bytes. */
  READFILE: 16,
  /** Host → guest, JSON {@link Container}: prepares a container and starts its first process. */
  NEWCONTAINER: 17,
  /** Host → guest, JSON {@link KillContainer}: a signal for the container's first process. */
  KILLCONTAINER: 18,
  /** Host → guest, no payload: bring hot-plugged CPUs and memory online. */
  ONLINECPUMEM: 19,
  /** Host → guest, JSON {@link Interface}. */
  SETUPINTERFACE: 20,
  /** Host → guest, JSON `{"routes": Route[]}`, see {@link Route}. */
  SETUPROUTE: 21,
  /** Host → guest, JSON {@link RemoveContainer}. */
  REMOVECONTAINER: 22,
  /**
   * Guest → host, JSON {@link ProcessAsyncEvent}, unsolicited and never acknowledged. The same code from the host is
   * PSCONTAINER, see {@link PSCONTAINER}.
   */
  PROCESSASYNCEVENT: 23,
  /** Host → guest, JSON {@link SignalProcess}: a signal for a process's group. */
  SIGNALPROCESS: 24,
  /** Host → guest, JSON {@link Interface}, of which only `device` is used. */
  DELETEINTERFACE: 25,
} as const;

/**
 * Host → guest, JSON {@link ProcessList}: the processes of a container. Clear Containers' number, which only the other
 * direction uses for PROCESSASYNCEVENT; here it is taken in every dialect.
 */
export const PSCONTAINER = Command.PROCESSASYNCEVENT;

/** A known command code. Frames carry any u32; see {@link commandName} for what to call it. */
export type Command = (typeof Command)[keyof typeof Command];

const names: readonly string[] = Object.keys(Command);

/** Name of a command that a host has sent: as {@link commandName}, but 23 is its PSCONTAINER. */
export function hostCommandName(code: number): string {
  if (code === RENEW) return "RENEW";
  if (code === CLEARPOD) return "CLEARPOD";
  return code === PSCONTAINER ? "PSCONTAINER" : commandName(code);
}

/** Name of a command code for logs and errors: `"EXECCMD"`, or `"command 99"` when it is unknown. */
export function commandName(code: number): string {
  // The codes are 0..25 without a gap and in the order written above; a test holds this to be so.
  return names[code] ?? `command ${code}`;
}
