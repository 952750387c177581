import type { ProcessAsyncEvent } from "@husk/wire/hyperstart";
import type { HuskError } from "../../errors/index.ts";
import type { Carrier } from "../types.ts";
import type { StreamSeqs } from "./requests.ts";

/** Limits of one command. */
export interface CommandOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The agent's answer. */
export interface Reply {
  readonly ok: boolean;
  /** what the command defines, or the words of a refusal */
  readonly payload: Uint8Array;
}

/** The names of a process. */
export interface ProcessName {
  readonly containerId: string;
  readonly processId: string;
}

/** What a transport tells its session. */
export interface TransportEvents {
  /** A process has ended. */
  onExit(event: ProcessAsyncEvent): void;
  /** All output of a process has come. */
  onOutputEnd(name: ProcessName): void;
  /** The streams of a process that has not ended have broken off. */
  onStreamsLost(name: ProcessName, error: HuskError | undefined): void;
  /** No reply comes any more; output and ends of processes may. */
  onControlEnded(): void;
  /** Nothing comes any more; `error` when the other side broke the protocol. */
  onClosed(error: HuskError | undefined): void;
}

/** The streams between a process of the guest and this process. */
export interface ProcessStreams {
  /** whether something waits for a reader, and more behind it */
  readonly isHeldUp: boolean;
  /** `done` is called when more can be taken. */
  writeStdin(data: Uint8Array, done: () => void): void;
  closeStdin(): void;
  /** The reader wants more. */
  resumeOutput(): void;
}

/** A process about to be started. */
export interface PreparedProcess {
  /** stream numbers for the command */
  readonly seqs: StreamSeqs;
  /** undefined when a shim carries them */
  readonly streams: ProcessStreams | undefined;
  /** Sends the command that starts it. @throws as `Transport.request` */
  start(command: number, payload: object, options: CommandOptions): Promise<Reply>;
  /** Lets go of what it has here: it has ended, was not started, or a shim has it. */
  release(): void;
}

/** How commands go to the agent and how processes are carried: over the VM's channels, or by the pod's proxy. */
export interface Transport {
  readonly closed: boolean;
  /** see `AgentSession.isOwner` */
  readonly isOwner: boolean;
  /**
   * Sends a command and waits for its reply. When the wait ends early, the reply is still awaited and dropped.
   * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_AGENT_DISCONNECTED, ERR_AGENT_PROTOCOL
   */
  request(command: number, payload: object | undefined, options: CommandOptions): Promise<Reply>;
  /** Makes ready for a process, whose output may come before the reply to its start. @throws as `request` */
  prepare(name: ProcessName, carrier: Carrier, options: CommandOptions): Promise<PreparedProcess>;
  /** Ends it; outstanding commands fail. */
  close(): void;
}
