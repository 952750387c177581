/** A shim's connection to cc-proxy: protocol version 2, with what husk's proxy adds to it. */

import { Connection, connectUnix } from "@husk/tiny";
import {
  decodeProcessExited,
  encodeAcknowledge,
  encodeProxyFrame,
  FrameType,
  MAX_STREAM_BYTES,
  ProxyCommand,
  ProxyDecoder,
  type ProxyFrame,
  ProxyNotification,
  ProxyStream,
  parseConnectShimResponse,
  parseErrorResponse,
  SIGWINCH,
} from "@husk/wire/cc-proxy";
import type { OutputName, OutputPositions } from "../core/process-link.ts";

/** What a connection tells. */
export interface ProxyConnectionEvents {
  /** The proxy takes this shim. `keeps`: it keeps what is not acknowledged */
  onAccepted(keeps: boolean): void;
  /** The process cannot be had, or not any more: why. */
  onRefused(reason: string): void;
  /** The bytes are the connection's again when this returns. */
  onOutput(name: OutputName, data: Uint8Array): void;
  onExit(code: number): void;
  onWritable(): void;
  /** The connection has ended. `reason`: what the proxy did wrong */
  onEnd(reason?: string): void;
}

/** What the shim asks for. */
export interface ShimClaim {
  readonly token: string;
  /** what it has of the outputs */
  readonly received: OutputPositions;
  /** nobody comes in its place */
  readonly transient: boolean;
}

/** See the head of the file. */
export class ProxyConnection {
  readonly #connection: Connection;
  readonly #events: ProxyConnectionEvents;
  readonly #decoder = new ProxyDecoder("client");

  /** Connects, and asks for the process. @throws Error of a system call when nobody listens */
  constructor(path: string, claim: ShimClaim, events: ProxyConnectionEvents) {
    this.#events = events;
    this.#connection = new Connection(connectUnix(path), {
      onBytes: (bytes) => this.#take(bytes),
      onWritable: () => events.onWritable(),
      onEnd: (error) => events.onEnd(error),
    });
    this.#command(ProxyCommand.CONNECT_SHIM, claim);
  }

  /** Whether it does not take more for now. */
  get blocked(): boolean {
    return this.#connection.blocked;
  }

  /** Sends input; none ends it. */
  sendInput(data: Uint8Array): void {
    let at = 0;
    do {
      const piece = data.subarray(at, at + MAX_STREAM_BYTES);
      this.#stream(ProxyStream.STDIN, piece);
      at += piece.length;
    } while (at < data.length);
  }

  sendSignal(signalNumber: number): void {
    this.#command(ProxyCommand.SIGNAL, { signalNumber });
  }

  sendSize(rows: number, columns: number): void {
    this.#command(ProxyCommand.SIGNAL, { signalNumber: SIGWINCH, columns, rows });
  }

  /** What has been written safely of the outputs. */
  acknowledge(positions: OutputPositions): void {
    this.#stream(ProxyStream.ACKNOWLEDGE, encodeAcknowledge(positions));
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** Says that the process is done with, and ends the connection. */
  disconnect(): void {
    this.#command(ProxyCommand.DISCONNECT_SHIM);
    this.#connection.close();
  }

  #command(opcode: number, payload?: object): void {
    this.#connection.write(
      encodeProxyFrame({ type: FrameType.COMMAND, opcode }, payload && JSON.stringify(payload)),
    );
  }

  #stream(opcode: number, payload: Uint8Array): void {
    this.#connection.write(encodeProxyFrame({ type: FrameType.STREAM, opcode }, payload));
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const frame of this.#decoder.push(bytes)) if (this.#connection.isOpen) this.#takeFrame(frame);
    } catch (error) {
      this.#connection.close();
      this.#events.onEnd(`the proxy sent a bad frame: ${error instanceof Error ? error.message : error}`);
    }
  }

  #takeFrame({ type, opcode, isError, payload }: ProxyFrame): void {
    if (type === FrameType.NOTIFICATION && opcode === ProxyNotification.PROCESS_EXITED)
      this.#events.onExit(decodeProcessExited(payload));
    else if (type === FrameType.STREAM && opcode === ProxyStream.STDOUT)
      this.#events.onOutput("stdout", payload);
    else if (type === FrameType.STREAM && opcode === ProxyStream.STDERR)
      this.#events.onOutput("stderr", payload);
    // Of a signal's success nobody waits to hear, and what has ended takes none.
    else if (type !== FrameType.RESPONSE || opcode !== ProxyCommand.CONNECT_SHIM) return;
    else if (isError) this.#events.onRefused(parseErrorResponse(payload));
    else this.#events.onAccepted(parseConnectShimResponse(payload) !== undefined);
  }
}
