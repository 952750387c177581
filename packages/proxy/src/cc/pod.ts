/** The pod of a proxy: its VM, its processes, and how what comes from the guest reaches their shims. */

import { startTimer } from "@husk/tiny";
import type { ProxyVm } from "@husk/wire/cc-proxy";
import type { ProcessAsyncEvent } from "@husk/wire/hyperstart";
import { log } from "../core/log.ts";
import { Waiters } from "../core/waiters.ts";
import type { Client } from "./client.ts";
import type { Reply } from "./control-channel.ts";
import type { Session } from "./session.ts";
import { SessionTable } from "./session-table.ts";
import { writeState } from "./state-file.ts";
import { Vm } from "./vm.ts";

/** Milliseconds after which memory is given back that was needed while output flowed. */
const TRIM_MS = 1000;

/** What a pod needs of its proxy. */
export interface PodOptions {
  /** file for the state; missing: nobody takes the pod over */
  readonly stateFile: string | undefined;
  /** A process has ended, be it one that nobody carries. */
  onProcessEnd(event: ProcessAsyncEvent): void;
  /** The VM takes no commands any more; its last output may still come. */
  onControlEnd(): void;
  /** The VM has ended; all has come of it that could. `fault`: what the guest did wrong */
  onEnd(fault: string | undefined): void;
}

/** See the head of the file. */
export class Pod {
  readonly sessions = new SessionTable();
  /** it has been found that the agent serves */
  readonly becameReady = new Waiters();
  readonly #options: PodOptions;
  #vm: Vm | undefined;
  #identity: ProxyVm | undefined;
  #isReady = false;
  /** sessions that can take no more output */
  readonly #full = new Set<Session>();
  /** timer for memory that is not needed when output has ceased to flow */
  #trimming: number | undefined;
  /** clients whose input the agent's channel does not take */
  readonly #held = new Set<Client>();

  constructor(options: PodOptions) {
    this.#options = options;
  }

  get identity(): ProxyVm | undefined {
    return this.#identity;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Connects to the VM. @param takeOver another proxy had its channels. @throws Error when nobody serves them */
  connect(identity: ProxyVm, takeOver: boolean): void {
    this.#vm = new Vm(
      identity,
      {
        onReady: () => {
          this.#isReady = true;
          this.becameReady.wake();
        },
        onProcessEvent: (event) => this.#takeEvent(event),
        onData: (seq, data) => this.#takeData(seq, data),
        onInputRoom: () => this.#releaseInput(),
        onControlEnd: () => this.#options.onControlEnd(),
        onEnd: (fault) => this.#options.onEnd(fault),
      },
      takeOver ? this.sessions.nextSeq - 1 : undefined,
    );
    this.#identity = identity;
  }

  /** Lets go of the VM. */
  disconnect(): void {
    this.#vm?.close();
    this.#vm = undefined;
    this.#identity = undefined;
    this.#isReady = false;
  }

  /** Sends a command to the agent. @throws Error when there is no VM, or it ends before it answers */
  async request(command: number, payload?: Uint8Array | string): Promise<Reply> {
    if (!this.#vm || !this.#isReady) throw new Error("no VM is registered");
    return this.#vm.request(command, payload);
  }

  /** Stores what another proxy would have to know. `fault`: why it is to leave the pod alone */
  save(fault?: string): void {
    const { stateFile } = this.#options;
    if (stateFile && this.#identity) writeState(stateFile, { vm: this.#identity, fault }, this.sessions);
  }

  /** Gives the process of a session input; none ends it. The client is held while the agent takes no more. */
  sendInput(client: Client, session: Session, data: Uint8Array): void {
    if (session.outputEnded || !this.#vm) return;
    this.#vm.sendInput(session.stdio, data);
    if (!this.#vm.inputBlocked) return;
    this.#held.add(client);
    client.hold();
  }

  /** Gives the process of a session input that no client has sent. */
  sendRawInput(session: Session, data: Uint8Array): void {
    this.#vm?.sendInput(session.stdio, data);
  }

  /** The agent has started the process of a session. */
  setStarted(session: Session): void {
    session.phase = "started";
    this.save();
    for (const data of session.takeEarlyInput()) this.#vm?.sendInput(session.stdio, data);
    session.shim?.release();
    session.wasStarted.wake();
  }

  /** Sends what waits in a session, and reads the guest's output again when no session is full any more. */
  pump(session: Session): void {
    session.pump();
    this.#noteRoom(session);
  }

  /** The shim of a session should have come back by now. */
  abandon(session: Session): void {
    session.abandon();
    this.#noteRoom(session);
  }

  /** A session is needed no more. */
  forget(session: Session): void {
    this.sessions.remove(session);
    if (this.#full.delete(session) && this.#full.size === 0) this.#vm?.resumeOutput();
    this.save();
  }

  /** A client has gone. */
  forgetClient(client: Client): void {
    this.#held.delete(client);
    const { session } = client;
    client.session = undefined;
    if (session?.shim !== client) return;
    session.disconnectShim();
    this.#noteRoom(session);
  }

  #takeEvent(event: ProcessAsyncEvent): void {
    const { container, process, status } = event;
    this.#options.onProcessEnd(event);
    const session = this.sessions.ofProcess(container, process);
    if (!session) return;
    session.exitCode = status;
    this.#noteEnd(session);
  }

  #takeData(seq: number, data: Uint8Array): void {
    const session = this.sessions.withStream(seq);
    // Without a session it is output that nobody wants.
    if (!session) return;
    if (seq === session.stderr) {
      if (data.length > 0) session.takeOutput("stderr", data);
    } else if (session.outputEnded || data.length === 0) {
      session.takeEnd(data);
      this.#noteEnd(session);
    } else session.takeOutput("stdout", data);
    this.#noteRoom(session);
  }

  #noteEnd(session: Session): void {
    this.save();
    if (session.hasEnded) log("info", `a process has ended with ${session.exitCode}`, describe(session));
    session.pump();
  }

  #noteRoom(session: Session): void {
    if (session.isFull) {
      this.#full.add(session);
      this.#vm?.pauseOutput();
    } else if (this.#full.delete(session) && this.#full.size === 0) this.#vm?.resumeOutput();
    if (session.isOversized) this.#trimLater();
  }

  #trimLater(): void {
    this.#trimming ??= startTimer(TRIM_MS, () => {
      this.#trimming = undefined;
      for (const session of this.sessions.all) session.trim();
    });
  }

  #releaseInput(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const client of held) client.release();
  }
}

/** For a log: which process a session has. */
export function describe({ process }: Session): Record<string, string> {
  return {
    container: process?.container ?? "",
    ...(process?.id === undefined ? {} : { process: process.id }),
  };
}
